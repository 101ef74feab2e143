import { messageId, name, optional, roomId, text } from '../arbitraries.ts';
import type { Bodies } from '../arbitraries.ts';

/** Well-formed bodies of each action, without who speaks where that is optional. */
export const joinBodies: Bodies = {
  join: { username: name, roomId, token: optional(text(1, 256)), lastId: optional(messageId) },
  'send-message': { roomId, message: text(1, 200), clientMessageId: optional(text(1, 128)) },
  leave: { roomId },
};
