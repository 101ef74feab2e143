import { setTimeout as delay } from 'node:timers/promises';
import type { Line, OpenLine, Told } from './lines.ts';

/** After a lost connection; a moment that differs from client to client, so that they do not all come at once. */
const reconnectMs = () => 100 + 400 * Math.random();

/** A user who talks in one room, comes back whenever the connection is lost, and goes on where it was. */
export class Talker implements Disposable {
  readonly name: string;
  /** All that was said in the room, in the order in which it came here. */
  readonly heard: Told[] = [];
  /** What was confirmed to have been said by this talker, in order. */
  readonly said: string[] = [];
  /** The close codes of the connections that it lost. */
  readonly endings: number[] = [];
  readonly #openLine: OpenLine;
  readonly #resent = new Set<string>();
  /** Why the last attempt to come in failed. */
  obstacle = '';
  #line: PromiseWithResolvers<Line> = Promise.withResolvers();
  #current: Line | undefined;
  #hasLeft = false;

  constructor(name: string, openLine: OpenLine) {
    this.name = name;
    this.#openLine = openLine;
    void this.#stay();
  }

  get isConnected(): boolean {
    return this.#current !== undefined;
  }

  /** Resolves once it is in the room. */
  async entered(): Promise<void> {
    await this.#line.promise;
  }

  /** Says it until it is confirmed, over as many connections as that takes. */
  async say(text: string): Promise<void> {
    for (let isFirst = true; !this.#hasSaid(text); isFirst = false) {
      if (!isFirst) this.#resent.add(text);
      const line = await this.#line.promise;
      // It may have been said over the last connection, of which only the confirmation was lost.
      if (this.#hasSaid(text) || (await line.say(text))) break;
      await delay(50);
    }
    this.said.push(text);
  }

  /** Goes on saying things, one after the other. */
  async talk(stop: AbortSignal, pauseMs: number): Promise<void> {
    while (!stop.aborted) {
      await this.say(`${this.name} ${this.said.length}`);
      await delay(pauseMs);
    }
  }

  [Symbol.dispose](): void {
    this.#hasLeft = true;
    this.#current?.leave();
  }

  async #stay(): Promise<void> {
    while (!this.#hasLeft) {
      try {
        const line = await this.#openLine(this.name, this.heard.at(-1)?.id ?? 0, (told) => {
          this.#hear(told);
        });
        this.#current = line;
        this.#line.resolve(line);
        this.endings.push(await line.ended);
        this.#current = undefined;
        this.#line = Promise.withResolvers();
      } catch (error) {
        // Nobody there to answer: in a moment perhaps.
        this.obstacle = String(error);
      }
      await delay(reconnectMs());
    }
  }

  #hear(told: Told): void {
    // What is said again is confirmed again, by the same message; where it stands, it was or will be told all the same.
    const isRepeat = told.sender === this.name && this.#resent.has(told.text);
    if (isRepeat && told.id !== (this.heard.at(-1)?.id ?? 0) + 1) return;
    this.heard.push(told);
  }

  #hasSaid(text: string): boolean {
    return this.heard.some((told) => told.sender === this.name && told.text === text);
  }
}
