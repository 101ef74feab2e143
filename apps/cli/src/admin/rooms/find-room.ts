import { isOwnId, listAllRooms, normalizeName, ParleyError, showRoom } from '@parley/protocol';
import type { RoomId, RoomRecord } from '@parley/protocol';
import { CliError } from '../../cli-error.ts';
import type { Ask } from '../with-operator-bus.ts';

/** Of rooms with one name, how many are told apart in an error. */
const mostTold = 5;

/**
 * The room that is meant: by its id, else by its name.
 * @throws CliError where there is none, or several private ones share the name.
 */
export async function findRoom(ask: Ask, given: string): Promise<RoomRecord> {
  const byId = isOwnId(given) ? await findById(ask, given as RoomId) : undefined;
  if (byId) return byId;
  const name = normalizeName(given);
  const { rooms } = await ask(listAllRooms, { name, limit: mostTold + 1 });
  const [room, ...others] = rooms;
  if (!room) throw new CliError(`There is no room ${name}.`, undefined, { code: 'room_not_found' });
  if (others.length === 0) return room;
  const told = rooms.slice(0, mostTold).map(({ roomId, owner }) => `${roomId} (owner ${owner ?? 'nobody'})`);
  const more = rooms.length > mostTold ? ' and others' : '';
  const message = `Several rooms are called ${name}: ${told.join(', ')}${more}. Give the id.`;
  throw new CliError(message, undefined, { code: 'ambiguous' });
}

async function findById(ask: Ask, roomId: RoomId): Promise<RoomRecord | undefined> {
  try {
    return (await ask(showRoom, { roomId })).room;
  } catch (error) {
    if (error instanceof ParleyError && error.code === 'room_not_found') return undefined;
    throw error;
  }
}
