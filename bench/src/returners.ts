import { setTimeout as delay } from 'node:timers/promises';
import { eachAtOnce, opensAtOnce } from './each-at-once.ts';
import type { Greeting, ReturnAccount, StayPlan } from './load-plan.ts';
import { Returner } from './returner.ts';

const pollMs = 50;
/** Longest wait for what was said in the rooms, in ms. */
const greetingMs = 20_000;

/** The returning clients of one process. */
export class Returners {
  readonly #all: readonly Returner[];

  private constructor(all: readonly Returner[]) {
    this.#all = all;
  }

  /** @throws Error where the server refuses one, in its words. */
  static async open({ seats, ...plan }: StayPlan): Promise<Returners> {
    const all: Returner[] = [];
    await eachAtOnce(seats, opensAtOnce, async (seat) => {
      all.push(await Returner.open(seat, plan));
    });
    return new Returners(all);
  }

  /** Waits until all have lost their connection and are back, or the time is over. */
  async awaitReturns(patienceMs: number): Promise<ReturnAccount[]> {
    await waitFor(() => this.#all.every(({ isBack }) => isBack), patienceMs);
    return this.#all.map(({ account }) => account);
  }

  /** Has those speak whose number is below `speakers`, and waits for all to hear it, or for 20 s. */
  async greet(speakers: number): Promise<Greeting> {
    const speaking = this.#all.filter(({ seat }) => seat.number < speakers);
    const hearing = this.#all.filter(({ seat }) => seat.number >= speakers);
    for (const returner of speaking) returner.speak();
    const unconfirmed = () => speaking.filter(({ isConfirmed }) => !isConfirmed).length;
    const deaf = () => hearing.filter(({ heard }) => heard !== 1).length;
    await waitFor(() => unconfirmed() + deaf() === 0, greetingMs);
    return { deaf: deaf(), unconfirmed: unconfirmed() };
  }

  close(): void {
    for (const returner of this.#all) returner.close();
  }
}

async function waitFor(condition: () => boolean, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition() && performance.now() < deadline) await delay(pollMs);
}
