import { beginsWith, lastNumber } from '../frames.ts';
import type { FrameKind, Wire } from './wire.ts';

const kinds: readonly (readonly [FrameKind, Buffer])[] = [
  ['delivery', Buffer.from('{"type":"message"')],
  ['confirmation', Buffer.from('{"type":"ack"')],
];

/** What the peers without a protocol of their own speak: the least JSON that says as much as Parley's frames do. */
export const plainWire: Wire = {
  path: '/',
  contentKey: Buffer.from('"content":"'),

  steps: ({ user, roomId }) => [
    { send: JSON.stringify({ type: 'join', user, room: roomId }), until: '{"type":"joined"' },
  ],

  sendText: (_seat, content) => JSON.stringify({ type: 'send', content }),

  kindOf(bytes, from, end) {
    for (const [kind, prefix] of kinds) if (beginsWith(bytes, from, end, prefix)) return kind;
    return 'other';
  },

  confirmedId: lastNumber,
  deliveredId: lastNumber,
};
