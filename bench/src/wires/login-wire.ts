import { beginsWith, lastNumber, numberAt } from '../frames.ts';
import type { FrameKind, Wire } from './wire.ts';

const start = '{"action":"';
const kinds: readonly (readonly [FrameKind, Buffer])[] = [
  ['confirmation', Buffer.from(`${start}ack"`)],
  ['delivery', Buffer.from(`${start}receive_message"`)],
  ['refusal', Buffer.from(`${start}error","original_action":"send_message"`)],
];
const messageIdKey = Buffer.from('"message_id":');

/** Parley's login dialect. */
export const loginWire: Wire = {
  path: '/',
  contentKey: Buffer.from('"content":"'),

  steps: ({ user, key }) => [
    {
      send: JSON.stringify({ action: 'login', data: { chatid: user, session_key: key } }),
      until: `${start}login_success"`,
    },
  ],

  sendText: ({ roomId }, content, clientMessageId) =>
    JSON.stringify({
      action: 'send_message',
      data: {
        room_id: roomId,
        content,
        ...(clientMessageId !== undefined && { client_message_id: clientMessageId }),
      },
    }),

  kindOf(bytes, from, end) {
    for (const [kind, prefix] of kinds) if (beginsWith(bytes, from, end, prefix)) return kind;
    return 'other';
  },

  confirmedId(bytes, from, end) {
    const key = bytes.indexOf(messageIdKey, from);
    return key === -1 || key >= end ? 0 : numberAt(bytes, key + messageIdKey.length, end);
  },

  deliveredId: lastNumber,
};
