import type { Client, Room } from '@parley/client';
import { CliError } from './cli-error.ts';

/** What is needed of a room to find it. */
export interface NamedRoom {
  readonly id: string;
  /** Empty where it is not known. */
  readonly name: string;
}

/**
 * The room that somebody means by its id or its name.
 * @throws CliError where several have the name: private ones may.
 */
export function pickRoom<Named extends NamedRoom>(
  rooms: readonly Named[],
  wanted: string,
): Named | undefined {
  const byId = rooms.find(({ id }) => id === wanted);
  if (byId) return byId;
  const name = wanted.trim().normalize('NFC');
  const named = rooms.filter((room) => room.name === name);
  if (named.length > 1) {
    const ids = named.map(({ id }) => id).join(', ');
    throw new CliError(`There are ${named.length} rooms called ${name}; say which by its id: ${ids}`);
  }
  return named[0];
}

/**
 * Finds a room among those somebody is in, then among the public ones.
 * @throws CliError where there is none.
 */
export async function findRoom(client: Client, wanted: string, signal?: AbortSignal): Promise<Room> {
  const own = pickRoom(client.rooms, wanted);
  if (own) return own;
  const found = pickRoom(await client.listPublicRooms(signal ? { signal } : {}), wanted);
  if (found) return client.room(found.id);
  throw new CliError(
    `There is no room ${wanted} among yours and the public ones; \`parley rooms\` lists them.`,
    1,
    {
      code: 'room_not_found',
    },
  );
}

/**
 * Finds a room and is in it. A guest enters public rooms as a matter of course; an account becomes a member, which lasts, and
 * so only where it is wanted.
 * @throws CliError where it is not.
 */
export async function enterRoom(
  client: Client,
  wanted: string,
  options: { join: boolean; signal?: AbortSignal },
): Promise<Room> {
  const room = await findRoom(client, wanted, options.signal);
  if (room.isIn) return room;
  if (!options.join && client.user?.isGuest !== true) {
    throw new CliError(`You are not a member of ${wanted}; with --join you become one.`, 1, {
      code: 'not_in_room',
    });
  }
  await room.join(options.signal ? { signal: options.signal } : {});
  return room;
}
