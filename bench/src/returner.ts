import { setTimeout as delay } from 'node:timers/promises';
import { nowMicros } from './clock.ts';
import { minContentBytes } from './frames.ts';
import { LoadConnection, silent } from './load-connection.ts';
import type { ReturnAccount, StayPlan } from './load-plan.ts';
import type { Seat } from './wires/index.ts';

/** A try to come back that takes longer is given up: so long packages/client waits for a socket to open, in ms. */
const openTimeoutMs = 10_000;

export type ReturnerPlan = Omit<StayPlan, 'seats'>;

/**
 * A logged-in user who says nothing and, when the connection ends, comes back as a client library does: waits at random, resumes the
 * session at another gateway, and waits longer and goes on to the next one after each failure.
 */
export class Returner {
  readonly seat: Seat;
  readonly #plan: ReturnerPlan;
  readonly #losses: string[] = [];
  /** `undefined` while it is away. */
  #connection: LoadConnection | undefined;
  #lostAt = 0;
  #backAt = 0;
  #failures = 0;
  #failure: string | undefined;
  #isClosed = false;

  private constructor(seat: Seat, plan: ReturnerPlan) {
    this.seat = seat;
    this.#plan = plan;
  }

  /** @throws Error where the server refuses, in its words. */
  static async open(seat: Seat, plan: ReturnerPlan): Promise<Returner> {
    const returner = new Returner(seat, plan);
    await returner.#connect(seat.url);
    return returner;
  }

  /** Whether it has lost its connection and has another. */
  get isBack(): boolean {
    return this.#losses.length > 0 && this.#connection !== undefined;
  }

  get account(): ReturnAccount {
    return {
      number: this.seat.number,
      losses: this.#losses,
      lostAt: this.#lostAt,
      backAt: this.isBack ? this.#backAt : 0,
      failures: this.#failures,
      failure: this.#failure,
    };
  }

  /** Messages of others on this connection. */
  get heard(): number {
    return this.#connection?.deliveries.count ?? 0;
  }

  /** Says something in the room. */
  speak(): void {
    this.#connection?.send(1, nowMicros());
  }

  /** Whether it has spoken on this connection, and was confirmed. */
  get isConfirmed(): boolean {
    const connection = this.#connection;
    return connection !== undefined && connection.answered > 0 && connection.isConfirmed(0);
  }

  /** @throws Error where the server refuses, or takes too long. */
  async #connect(url: string): Promise<void> {
    const tooLong = new AbortController();
    const timer = setTimeout(() => {
      tooLong.abort();
    }, openTimeoutMs);
    let connection: LoadConnection;
    try {
      const seat = { ...this.seat, url };
      connection = await LoadConnection.open(seat, this.#plan.wire, minContentBytes, false, tooLong.signal);
    } catch (error) {
      throw tooLong.signal.aborted ? new Error(`not in within ${openTimeoutMs / 1_000} s`) : error;
    } finally {
      clearTimeout(timer);
    }
    if (this.#isClosed) {
      connection.close();
      return;
    }
    connection.listener = { ...silent, onLost: (reason) => void this.#return(reason) };
    this.#connection = connection;
    this.#backAt = nowMicros();
  }

  async #return(reason: string): Promise<void> {
    this.#connection = undefined;
    this.#losses.push(reason);
    this.#lostAt ||= nowMicros();
    for (let failures = 0; ; failures += 1) {
      const { firstWaitMs, longestWaitMs } = this.#plan;
      await delay(Math.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** failures));
      if (this.#isClosed) return;
      try {
        await this.#connect(this.#urlAfter(failures));
        return;
      } catch (error) {
        this.#failures += 1;
        this.#failure ??= (error as Error).message;
      }
    }
  }

  /** All others in turn, then its first one; clients are dealt out to the others. */
  #urlAfter(failures: number): string {
    const { elsewhere } = this.#plan;
    const turn = failures % (elsewhere.length + 1);
    return elsewhere[turn] === undefined
      ? this.seat.url
      : elsewhere[(this.seat.number + turn) % elsewhere.length]!;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }
}
