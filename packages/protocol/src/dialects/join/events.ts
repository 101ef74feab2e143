import type { EventTable } from '../define-dialect.ts';
import { toldFile } from '../told-files.ts';
import { left, newMessage } from './frames.ts';
import type { Frame } from './frames.ts';

/** Every event that this dialect tells. */
export const events: EventTable<Frame> = {
  message({ file, ...event }) {
    if (!file) return newMessage(event);
    const { roomId, sender, sentAt: timestamp, id } = event;
    return { action: 'file', roomId, sender, ...toldFile(roomId, file), timestamp, id };
  },
  'user-joined': ({ user, roomId }) => ({ action: 'user-joined', username: user, roomId }),
  'user-left': ({ user, roomId }) => ({ action: 'user-left', username: user, roomId }),
  'room-renamed': ({ roomId, newName }) => ({ action: 'room-renamed', roomId, roomName: newName }),
  'room-deleted': ({ roomId }) => ({ action: 'room-deleted', roomId }),
  'presence-ended': ({ roomId }) => left(roomId),
};
