import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientOptions } from 'ws';
import type { Target } from './attack.ts';
import { AttackSocket } from './attack-socket.ts';
import { noSightings } from './sightings.ts';

/** Longest wait for the answer to an upgrade, in ms: one that is never answered would be an attack on us. */
const handshakeMs = 30_000;

/** Somebody who opens connections to a gateway to do it harm, and keeps count of what comes of it. */
export class Attacker {
  readonly target: Target;
  readonly seen = noSightings();
  readonly #stopping = new AbortController();
  #names = 0;
  readonly #prefix = randomUUID().slice(0, 8);

  constructor(target: Target) {
    this.target = target;
    // All of its connections listen.
    setMaxListeners(0, this.stopped);
  }

  /** Aborted when it is told to stop. */
  get stopped(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Does nothing more; its connections are gone at once. */
  stop(): void {
    this.#stopping.abort();
  }

  /** A name that nobody had before. */
  newName(): string {
    this.#names += 1;
    return `${this.#prefix}-${this.#names}`;
  }

  /** The address that its next connection comes from. */
  nextAddress(): string {
    const { addresses } = this.target;
    return addresses[this.seen.tried % addresses.length]!;
  }

  /** Less when it is stopped meanwhile. @param ms 0 lets others have their turn. */
  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopped }).catch(() => {});
  }

  /** Opens a WebSocket; undefined where it is refused. */
  async connect(options: ClientOptions = {}): Promise<AttackSocket | undefined> {
    const { seen, stopped } = this;
    const localAddress = this.nextAddress();
    seen.tried += 1;
    const settings = {
      perMessageDeflate: false,
      handshakeTimeout: handshakeMs,
      maxPayload: 0,
      ...options,
      localAddress,
    };
    const socket = new AttackSocket(this.target.webSocketUrl, settings, seen, stopped);
    return (await socket.opened) ? socket : undefined;
  }

  /**
   * Keeps so many connections, each of which is used until it, or its use, ends; then the next one takes its place.
   * @param everyMs Before another one is tried, in ms.
   */
  async keep(
    { connections, everyMs }: { connections: number; everyMs: number },
    use: (socket: AttackSocket) => Promise<void>,
    options?: ClientOptions,
  ): Promise<void> {
    const place = async (): Promise<void> => {
      while (!this.stopped.aborted) {
        const socket = await this.connect(options);
        if (socket) await use(socket);
        socket?.terminate();
        await this.pause(everyMs);
      }
    };
    await Promise.all(Array.from({ length: connections }, place));
  }
}
