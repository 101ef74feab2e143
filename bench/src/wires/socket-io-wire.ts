/**
 * Socket.io's packets (engine.io protocol 4 on a WebSocket, socket.io protocol 5), as far as a load needs them. A packet begins with
 * the digit of engine.io (0 open, 2 ping, 3 pong, 4 message), after a 4 comes that of socket.io (0 connect, 2 event, 3 acknowledgement),
 * then the number by which an event asks for its acknowledgement, then JSON.
 */
import { beginsWith, lastNumber, numberAt, sequencePlace } from '../frames.ts';
import type { FrameKind, Wire } from './wire.ts';

const acknowledgement = '43';
/** An error is acknowledged with another first field. */
const refused = '[{"error"';
const message = '42["message"';
const kinds: readonly (readonly [FrameKind, Buffer])[] = [
  ['delivery', Buffer.from(message)],
  ['confirmation', Buffer.from(acknowledgement)],
];
const refusal = Buffer.from(refused);
const ping = Buffer.from('2');
const joinNumber = '0';

/** Sends are numbered by their packets, so that they may be acknowledged in any order. */
export const socketIoWire: Wire = {
  path: '/socket.io/?EIO=4&transport=websocket',
  contentKey: Buffer.from('"content":"'),
  pong: '3',

  steps: ({ key, roomId }) => [
    { until: '0{' },
    { send: `40${JSON.stringify({ token: key })}`, until: '40{' },
    { send: `42${joinNumber}${JSON.stringify(['join', roomId])}`, until: `${acknowledgement}${joinNumber}[` },
  ],

  sendText: ({ roomId }, content) => `42${sequencePlace}${JSON.stringify(['send', roomId, content])}`,

  kindOf(bytes, from, end) {
    if (end - from === 1) return beginsWith(bytes, from, end, ping) ? 'ping' : 'other';
    const [kind = 'other'] = kinds.find(([, prefix]) => beginsWith(bytes, from, end, prefix)) ?? [];
    if (kind !== 'confirmation') return kind;
    return beginsWith(bytes, bytes.indexOf('[', from), end, refusal) ? 'refusal' : kind;
  },

  confirmedSequence: (bytes, from, end) => numberAt(bytes, from + acknowledgement.length, end),
  confirmedId: lastNumber,
};
