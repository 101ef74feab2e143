import { limit, messageId, name, optional, text } from '../arbitraries.ts';
import type { Bodies } from '../arbitraries.ts';

/** Well-formed bodies of each action. */
export const identifyBodies: Bodies = {
  identify: { username: name },
  rename: { newUsername: name },
  createRoom: { room: name },
  roomsList: {},
  joinRoom: { room: name },
  leaveRoom: { room: name },
  deleteRoom: { room: name },
  sendMessage: { room: name, message: text(1, 200), clientMessageId: optional(text(1, 128)) },
  history: { room: name, before: optional(messageId), after: optional(messageId), limit },
};
