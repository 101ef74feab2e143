import { firstThatFit, maxLobbyRooms } from '@parley/protocol';
import type { Caller, listRooms, LobbyRoom, readLobby, ReplyOf } from '@parley/protocol';
import type { PresenceStore } from './presence.ts';
import { publicFace } from './rooms.ts';
import type { RoomStore } from './store.ts';

export interface LobbyParts {
  store: RoomStore;
  presence: PresenceStore;
}

/** Rooms that are looked at in one go: some may not be public. */
const pageRooms = 2 * maxLobbyRooms;

export type Lobby = ReturnType<typeof createLobby>;

/** The public rooms with the most users present. */
export function createLobby({ store, presence }: LobbyParts) {
  async function read(): Promise<ReplyOf<typeof readLobby>> {
    return { ...(await readTop()), total: await store.countPublic() };
  }

  /** Busiest first, those with as many users by name; empty ones fill it up. */
  async function readTop(): Promise<Omit<ReplyOf<typeof readLobby>, 'total'>> {
    const { version, rooms: busy } = await readBusy();
    const isFull = busy.length >= maxLobbyRooms;
    const rooms = isFull ? busy.slice(0, maxLobbyRooms) : [...busy, ...(await readEmpty(busy))];
    return { version, rooms };
  }

  /** Public rooms with users present, the busiest first. */
  async function readBusy(): Promise<{ version: number; rooms: LobbyRoom[] }> {
    for (;;) {
      const page = await presence.findBusiest(pageRooms);
      const found = await store.findMany(page.rooms.map(({ roomId }) => roomId));
      const names = new Map(
        found.filter(({ visibility }) => visibility === 'public').map(({ roomId, name }) => [roomId, name]),
      );
      const rooms = page.rooms.flatMap((room) => {
        const name = names.get(room.roomId);
        return name === undefined ? [] : [{ ...room, name }];
      });
      const others = page.rooms.filter(({ roomId }) => !names.has(roomId)).map(({ roomId }) => roomId);
      await presence.unlist(others);
      // What is not public is out of the way now, so the next page begins behind it.
      if (rooms.length >= maxLobbyRooms || page.rooms.length < pageRooms) {
        return { version: page.version, rooms: rooms.sort(byUsersThenName) };
      }
    }
  }

  async function readEmpty(busy: readonly LobbyRoom[]): Promise<LobbyRoom[]> {
    const rooms = await store.listPublicExcept(
      busy.map(({ roomId }) => roomId),
      maxLobbyRooms - busy.length,
    );
    return rooms.map(({ roomId, name }) => ({ roomId, name, users: 0 }));
  }

  /** The same for a user, as many as fit a page. */
  async function list(caller: Caller): Promise<ReplyOf<typeof listRooms>> {
    const { rooms } = await readTop();
    const found = await store.describe(
      caller.userId,
      rooms.map(({ roomId }) => roomId),
    );
    const described = new Map(found.map((room) => [room.roomId, room]));
    const listed = rooms.flatMap(({ roomId, users }) => {
      const room = described.get(roomId);
      return room ? [{ ...publicFace(room), member: room.member, users }] : [];
    });
    return { rooms: firstThatFit(listed) };
  }

  return { read, list };
}

function byUsersThenName(a: LobbyRoom, b: LobbyRoom): number {
  return b.users - a.users || (a.name < b.name ? -1 : 1);
}
