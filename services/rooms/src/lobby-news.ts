import { setTimeout as delay } from 'node:timers/promises';
import { maxLobbyRooms } from '@parley/protocol';
import type { RoomId } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import type { RoomEvents } from './events.ts';
import type { PresenceStore } from './presence.ts';
import type { RoomStore } from './store.ts';

export interface LobbyNewsParts {
  store: Pick<RoomStore, 'findMany'>;
  presence: Pick<PresenceStore, 'countAnew' | 'unlist'>;
  events: Pick<RoomEvents, 'lobbyChanged'>;
  log: Log;
}

/** How long changes are gathered, in ms: whatever happens, this instance tells the gateways 20 times a second at most. */
const gatherMs = 50;
/** How long after a failure it is tried again, in ms. */
const retryMs = 500;

/** Tells all gateways how public rooms are now: those alone that changed, so what a change costs does not grow. */
export class LobbyNews implements AsyncDisposable {
  readonly #parts: LobbyNewsParts;
  readonly #changed = new Set<RoomId>();
  readonly #closing = new AbortController();
  #telling: Promise<void> | undefined;

  constructor(parts: LobbyNewsParts) {
    this.#parts = parts;
  }

  /** These rooms were made, renamed or deleted, or have another count. Whether they are public is looked up. */
  changed(roomIds: readonly RoomId[]): void {
    for (const roomId of roomIds) this.#changed.add(roomId);
    if (this.#changed.size > 0) this.#telling ??= this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    await this.#pause(gatherMs);
    while (this.#changed.size > 0) {
      const isTold = await this.#tellGathered();
      // Nobody would wait for what could not be told while everything closes.
      if (!isTold && this.#closing.signal.aborted) break;
      await this.#pause(isTold ? gatherMs : retryMs);
    }
    this.#telling = undefined;
  }

  /** Tells of all that changed so far; false where something has to be told again. */
  async #tellGathered(): Promise<boolean> {
    const gathered = [...this.#changed];
    this.#changed.clear();
    for (let start = 0; start < gathered.length; start += maxLobbyRooms) {
      try {
        await this.#tell(gathered.slice(start, start + maxLobbyRooms));
      } catch (err) {
        this.#parts.log.warn({ err }, 'the lobby could not be read, trying again');
        for (const roomId of gathered.slice(start)) this.#changed.add(roomId);
        return false;
      }
    }
    return true;
  }

  async #tell(roomIds: readonly RoomId[]): Promise<void> {
    const { store, presence, events } = this.#parts;
    // The version first: who is told something with a greater one was told of every change up to that moment.
    const { version, counts } = await presence.countAnew(roomIds);
    const found = new Map((await store.findMany(roomIds)).map((room) => [room.roomId, room]));
    const rooms = roomIds.flatMap((roomId, index) => {
      const room = found.get(roomId);
      return room?.visibility === 'public' ? [{ roomId, name: room.name, users: counts[index]! }] : [];
    });
    const removed = roomIds.filter((roomId) => !found.has(roomId));
    if (rooms.length + removed.length > 0) events.lobbyChanged({ version, rooms, removed });
    await presence.unlist(roomIds.filter((roomId) => found.get(roomId)?.visibility !== 'public'));
  }

  async #pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#closing.signal });
    } catch {
      // It closes: what was gathered is told at once.
    }
  }

  /** Tells what was gathered, if that is possible now. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#telling;
  }
}
