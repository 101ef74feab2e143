import { setTimeout as delay } from 'node:timers/promises';
import { commitSends, maxSendsPerRequest, ParleyError } from '@parley/protocol';
import type { Caller, RoomId, Send, SendResult } from '@parley/protocol';
import { createContext, startCall } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { secondsSince, sendsWaiting, sendToCommit } from '../metrics.ts';

/** What became of a send that was taken. */
export type Committed = Exclude<SendResult, { error: unknown }>;

interface WaitingSend {
  caller: Caller;
  send: Send;
  deadline: number;
  traceparent: string | undefined;
  /** When it came, as `performance.now()`. */
  since: number;
  resolve: (result: SendResult) => void;
  reject: (error: unknown) => void;
}

/** Bounds one request in bytes of JSON; in it a UTF-16 unit takes 6 at the most (`\u001f`). */
const maxRequestBytes = 512 * 1_024;
const bytesPerUnit = 6;
const bytesBesideContent = 1_000;

/**
 * After a request of several the next one waits, in ms, for what clients send when they hear of it, unless as many wait already: else
 * the first of these would go alone, and the others wait for it.
 */
const gatherMs = 1;
const minGatheringRequest = 2;

/**
 * A lane per room: one request is under way at a time and takes along what came in meanwhile. So the order of a
 * connection's messages holds whichever instance answers, and requests grow with the load.
 */
export class SendLanes {
  readonly #bus: Pick<Bus, 'callTogether'>;
  readonly #lanes = new Map<RoomId, WaitingSend[]>();

  constructor(bus: Pick<Bus, 'callTogether'>) {
    this.#bus = bus;
    sendsWaiting.from(() => this.#countWaiting());
  }

  #countWaiting(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.length;
    return count;
  }

  /**
   * Resolves once the message is committed.
   * @param caller Who sends it, over which connection.
   * @param deadline In ms since 1970.
   * @param traceparent Where traces are made: of the client's frame.
   * @throws ParleyError `room_not_found`, `not_in_room`, `unavailable`.
   */
  async send(
    caller: Caller,
    roomId: RoomId,
    send: Send,
    deadline: number,
    traceparent?: string,
  ): Promise<Committed> {
    const result = await new Promise<SendResult>((resolve, reject) => {
      const waiting = { caller, send, deadline, traceparent, since: performance.now(), resolve, reject };
      const lane = this.#lanes.get(roomId);
      if (lane) {
        lane.push(waiting);
      } else {
        this.#lanes.set(roomId, [waiting]);
        void this.#run(roomId);
      }
    });
    if ('error' in result) throw new ParleyError(result.error);
    return result;
  }

  async #run(roomId: RoomId): Promise<void> {
    // What arrives in this turn of the event loop goes along.
    await new Promise(setImmediate);
    const lane = this.#lanes.get(roomId)!;
    while (lane.length > 0) {
      const batch = takeRequest(lane);
      await this.#commit(roomId, batch);
      if (batch.length >= minGatheringRequest && lane.length < batch.length) await delay(gatherMs);
    }
    this.#lanes.delete(roomId);
  }

  /** Each connection's for itself, as whose they are is the request's caller. */
  async #commit(roomId: RoomId, batch: readonly WaitingSend[]): Promise<void> {
    const byConnection = Map.groupBy(batch, ({ caller }) => caller.connectionId);
    await Promise.all([...byConnection.values()].map((sends) => this.#commitOne(roomId, sends)));
  }

  async #commitOne(roomId: RoomId, batch: readonly WaitingSend[]): Promise<void> {
    // The first came first, so its deadline is the earliest. While sends wait, their connection stays the same user's.
    const { caller, deadline, traceparent, since } = batch[0]!;
    const context = { ...createContext(0, caller, traceparent), deadline };
    // The request is a part of the first one's trace; in those of the others it has a span too.
    const others = batch.slice(1).map((send) => startCall(commitSends, send));
    const traceparents = others.some(Boolean) && [null, ...others.map((span) => span?.traceparent ?? null)];
    try {
      // In one message with those of other connections and rooms of this turn.
      const { results } = await this.#bus.callTogether(
        commitSends,
        {
          roomId,
          sends: batch.map(({ send }) => send),
          ...(traceparents && { traceparents }),
        },
        context,
        0,
      );
      sendToCommit.observe(secondsSince(since));
      for (const span of others) span?.end();
      batch.forEach(({ resolve }, index) => {
        resolve(results[index]!);
      });
    } catch (error) {
      for (const span of others) span?.end(error);
      for (const { reject } of batch) reject(error);
    }
  }
}

/** Takes the first of the lane that fit one request. */
function takeRequest(lane: WaitingSend[]): WaitingSend[] {
  let bytes = 0;
  const end = lane.findIndex(({ send }, index) => {
    bytes += send.content.length * bytesPerUnit + bytesBesideContent;
    return index === maxSendsPerRequest || (index > 0 && bytes > maxRequestBytes);
  });
  return lane.splice(0, end === -1 ? lane.length : end);
}
