import type { Journal } from '../journal.ts';
import type { SeededRandom } from '../random.ts';
import { membershipBegins, membershipEnded } from './account.ts';
import type { Room } from './talker.ts';

/** Who was taken out stays so for so long at least, so that what was on its way has come. */
const awayMs = 1_500;

interface HostPartOptions {
  journal: Journal;
  random: SeededRandom;
  /** @throws RefusedError, LostError */
  ask: (action: string, data: object) => Promise<unknown>;
}

/** What a client does as the owner of private rooms: it takes members out and brings them back. */
export class HostPart {
  readonly #options: HostPartOptions;
  readonly #rooms = new Map<Room, readonly string[]>();
  readonly #removed = new Map<string, { room: Room; name: string; at: number }>();

  constructor(options: HostPartOptions) {
    this.#options = options;
  }

  get isHost(): boolean {
    return this.#rooms.size > 0;
  }

  get isWaiting(): boolean {
    return this.#removed.size > 0;
  }

  get state(): string {
    return `${this.#removed.size} removed`;
  }

  /** @param names Those who may be taken out of the room for a while. */
  owns(room: Room, names: readonly string[]): void {
    this.#rooms.set(room, names);
  }

  /** Takes somebody out, by chance. */
  async remove(): Promise<void> {
    const { random, journal, ask } = this.#options;
    const [room, names] = random.pick([...this.#rooms]);
    const name = random.pick(names);
    if (this.#removed.has(room.id + name)) return;
    this.#removed.set(room.id + name, { room, name, at: performance.now() });
    await ask('remove_user_from_room', { room_id: room.id, user_to_remove: name });
    membershipEnded(journal, name, room.id);
  }

  /** Brings back who was away long enough. */
  async step(): Promise<void> {
    const { journal, ask } = this.#options;
    for (const { room, name, at } of [...this.#removed.values()]) {
      if (performance.now() - at < awayMs) continue;
      membershipBegins(journal, name, room.id);
      await ask('add_user_to_room', { room_id: room.id, user_to_add: name });
      this.#removed.delete(room.id + name);
    }
  }
}
