import { firstThatFit, maxLobbyRooms, readLobby, subjects } from '@parley/protocol';
import type {
  Dialect,
  LobbyChanged,
  LobbyListed,
  LobbyRoom,
  ReplyOf,
  reportPresence,
  RoomId,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';
import type { Connection } from '../connection/connection.ts';
import { eventFrames } from '../connection/event-frames.ts';

interface KnownRoom extends LobbyRoom {
  version: number;
}

interface Visitor {
  /** When the list was last sent, in ms since 1970. */
  toldAt: number;
  /** The list that was last sent. */
  told: Buffer | undefined;
}

export interface LobbyParts {
  bus: Bus;
  log: Log;
  requestTimeoutMs: number;
}

/** Between two lists for one connection: a little more than a quarter of a second, as the way to it varies. */
const spacingMs = 260;
/** What changes within this time goes into one list, in ms. */
const gatherMs = 25;
/** How often the whole list is read anew, in ms: changes may have been missed. */
const reloadMs = 30_000;
/** The same where there are more rooms than are listed: those beyond are not known here. */
const reloadManyMs = 5_000;
const retryMs = 500;

/**
 * The public rooms with their users present, as the connections that asked for it are told: when something changes,
 * gathered to at most four lists a second each, encoded once for all of them. A change costs one small message to
 * each gateway, however many rooms and connections there are.
 */
export class Lobby implements Disposable {
  readonly #parts: LobbyParts;
  readonly #rooms = new Map<RoomId, KnownRoom>();
  /** When rooms went, in ms since 1970: older news of them may still be under way. */
  readonly #removed = new Map<RoomId, number>();
  readonly #visitors = new Map<Connection, Visitor>();
  /** Those that have not been told the last change yet. */
  readonly #due = new Set<Connection>();
  /** The list as it was last made, by dialect; the same bytes are the same object. */
  readonly #frames = new Map<Dialect, Buffer>();
  /** The dialects whose list is as things are now. */
  readonly #fresh = new Set<Dialect>();
  #timer: NodeJS.Timeout | undefined;
  #reloadTimer: NodeJS.Timeout | undefined;
  readonly #loaded: Promise<void>;
  #isClosed = false;

  constructor(parts: LobbyParts) {
    this.#parts = parts;
    parts.bus.subscribe(subjects.lobby, (event) => {
      this.#hear(event as LobbyChanged);
    });
    parts.bus.onReconnect(() => {
      void this.#load();
    });
    this.#loaded = this.#reload();
  }

  /** From now on the connection is told of changes. */
  add(connection: Connection): void {
    this.#visitors.set(connection, { toldAt: 0, told: undefined });
  }

  remove(connection: Connection): void {
    this.#visitors.delete(connection);
    this.#due.delete(connection);
  }

  /** Sends the list at once. */
  async send(connection: Connection): Promise<void> {
    await this.#loaded;
    this.#send(connection, Date.now());
  }

  /** A room was made here, and is not heard of by the bus yet. */
  noticeRoom(room: LobbyRoom): void {
    if (this.#rooms.has(room.roomId)) return;
    this.#rooms.set(room.roomId, { ...room, version: 0 });
    this.#changed();
  }

  /** Rooms as they were just counted; those that are not known here are none of the lobby's. */
  noticeCounts({ version, counts }: Pick<ReplyOf<typeof reportPresence>, 'version' | 'counts'>): void {
    for (const { roomId, users } of counts) {
      const room = this.#rooms.get(roomId);
      if (room) this.#update({ ...room, users, version });
    }
  }

  #hear({ version, rooms, removed }: LobbyChanged): void {
    for (const room of rooms) this.#update({ ...room, version });
    for (const roomId of removed) {
      this.#removed.set(roomId, Date.now());
      if (this.#rooms.delete(roomId)) this.#changed();
    }
  }

  #update(room: KnownRoom): void {
    const known = this.#rooms.get(room.roomId);
    if (this.#removed.has(room.roomId) || (known && known.version > room.version)) return;
    this.#rooms.set(room.roomId, room);
    if (known?.name !== room.name || known.users !== room.users) this.#changed();
  }

  async #reload(): Promise<void> {
    const total = await this.#load();
    if (this.#isClosed) return;
    this.#reloadTimer = setTimeout(
      () => void this.#reload(),
      total > maxLobbyRooms ? reloadManyMs : reloadMs,
    );
  }

  /** Reads the whole list, as often as it takes; answers with how many public rooms there are. */
  async #load(): Promise<number> {
    const { bus, log, requestTimeoutMs } = this.#parts;
    while (!this.#isClosed) {
      try {
        // Subscribed first, so that no change falls between.
        const { version, rooms, total } = await bus.call(readLobby, {}, createContext(requestTimeoutMs));
        const listed = new Set(rooms.map(({ roomId }) => roomId));
        for (const [roomId, room] of this.#rooms) {
          if (listed.has(roomId) || room.version > version) continue;
          this.#rooms.delete(roomId);
          this.#changed();
        }
        for (const room of rooms) this.#update({ ...room, version });
        for (const [roomId, at] of this.#removed)
          if (at < Date.now() - reloadMs) this.#removed.delete(roomId);
        return total;
      } catch (err) {
        log.warn({ err }, 'the list of public rooms is unavailable, trying again');
        await new Promise((resolve) => setTimeout(resolve, retryMs * (1 + Math.random())));
      }
    }
    return 0;
  }

  #changed(): void {
    this.#fresh.clear();
    for (const connection of this.#visitors.keys()) this.#due.add(connection);
    if (this.#due.size > 0) this.#timer ??= setTimeout(this.#tellDue, gatherMs);
  }

  readonly #tellDue = (): void => {
    this.#timer = undefined;
    const now = Date.now();
    let soonest = Infinity;
    for (const connection of this.#due) {
      const dueAt = this.#visitors.get(connection)!.toldAt + spacingMs;
      if (dueAt <= now) this.#send(connection, now, true);
      else soonest = Math.min(soonest, dueAt);
    }
    if (this.#due.size > 0) this.#timer = setTimeout(this.#tellDue, Math.max(gatherMs, soonest - now));
  };

  /** @param onlyNews Not where it would be the same list again. */
  #send(connection: Connection, now: number, onlyNews = false): void {
    this.#due.delete(connection);
    const frame = this.#frame(connection.dialect);
    const visitor = this.#visitors.get(connection);
    if (onlyNews && visitor?.told === frame) return;
    if (visitor) Object.assign(visitor, { toldAt: now, told: frame });
    connection.write(frame);
  }

  #frame(dialect: Dialect): Buffer {
    const last = this.#frames.get(dialect);
    if (last && this.#fresh.has(dialect)) return last;
    const frame = eventFrames(dialect, [this.#list()]);
    this.#fresh.add(dialect);
    if (last?.equals(frame)) return last;
    this.#frames.set(dialect, frame);
    return frame;
  }

  /** The rooms with the most users first, as many as are listed and fit one frame. */
  #list(): LobbyListed {
    const rooms = [...this.#rooms.values()].map(({ roomId, name, users }) => ({ roomId, name, users }));
    rooms.sort((a, b) => b.users - a.users || (a.name < b.name ? -1 : 1));
    return { type: 'lobby-listed', rooms: firstThatFit(rooms.slice(0, maxLobbyRooms)) };
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#reloadTimer);
  }
}
