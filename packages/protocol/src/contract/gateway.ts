import { Type } from 'typebox';
import { ConnectionId, MessageId, RoomId } from '../ids.ts';
import { ClientMessageId, Content, NewPassword, Password, storableText, UserName } from '../text.ts';
import { Time } from '../times.ts';
import { method } from './method.ts';

/*
 * What belongs to the connection itself is asked of the gateway that holds it: the first four by a client, through its
 * dialect; `probeConnection` by a service, on the bus.
 */

export const registerAccount = method('gateway.registerAccount', {
  request: Type.Object({ name: UserName, password: NewPassword }),
  reply: Type.Object({ name: UserName }),
  errors: ['username_taken', 'rate_limited'],
});

/** By password, or by the key of an open session. */
export const openSession = method('gateway.openSession', {
  request: Type.Object({
    name: UserName,
    proof: Type.Union([
      Type.Object({ password: Password }),
      Type.Object({ sessionKey: storableText(1, 256) }),
    ]),
    /** From this login on the connection is under the integrity handshake. */
    handshake: Type.Boolean(),
    /** The connection is told who has acknowledged its user's messages. */
    receipts: Type.Boolean(),
  }),
  reply: Type.Object({ name: UserName, sessionKey: Type.String() }),
  errors: ['invalid_credentials', 'already_logged_in', 'rate_limited'],
});

export const closeSession = method('gateway.closeSession', {
  request: Type.Object({}),
  reply: Type.Object({ name: UserName }),
});

/** Confirmed once the message is committed. */
export const sendMessage = method('gateway.sendMessage', {
  request: Type.Object({ roomId: RoomId, content: Content, clientMessageId: Type.Optional(ClientMessageId) }),
  reply: Type.Object({ roomId: RoomId, messageId: MessageId, sentAt: Time }),
  errors: ['room_not_found', 'not_in_room', 'rate_limited'],
});

/** Whether the connection answers a ping within 3 s. */
export const probeConnection = method('gateway.probeConnection', {
  request: Type.Object({ connectionId: ConnectionId }),
  reply: Type.Object({ alive: Type.Boolean() }),
});
