import type { EventTable } from '../define-dialect.ts';
import { toldFile } from '../told-files.ts';
import { joined, left, message } from './frames.ts';
import type { Frame } from './frames.ts';

/** Every event that this dialect tells. */
export const events: EventTable<Frame> = {
  message({ file, ...event }) {
    if (!file) return message(event);
    const { sender: from, roomId, roomName: room, id, sentAt: timestamp } = event;
    return { action: 'file', payload: { from, room, ...toldFile(roomId, file), id, timestamp } };
  },
  'room-deleted': ({ roomName }) => left(roomName),
  // In words of the seed, so that clients that know no more follow the room to its new name.
  'room-renamed': ({ oldName, newName }) => [left(oldName), joined(newName)],
  'presence-ended': ({ roomName }) => left(roomName),
  'lobby-listed': ({ rooms }) => ({
    action: 'roomsList',
    // Unlike assignment it makes a field of every name, `__proto__` too.
    payload: { rooms: Object.fromEntries(rooms.map(({ name, users }) => [name, users])) },
  }),
};
