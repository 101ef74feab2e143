import { commitSends, maxSendsPerRequest, ParleyError } from '@parley/protocol';
import type { RoomId, Send, SendResult } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';

/** What became of a send that was taken. */
export type Committed = Exclude<SendResult, { error: unknown }>;

interface WaitingSend {
  send: Send;
  deadline: number;
  resolve: (result: SendResult) => void;
  reject: (error: unknown) => void;
}

/** Bounds one request in bytes of JSON; in it a UTF-16 unit takes 6 at the most (`\u001f`). */
const maxRequestBytes = 512 * 1_024;
const bytesPerUnit = 6;
const bytesBesideContent = 1_500;

/**
 * A lane per room: one request is under way at a time and takes along what came in meanwhile. So the order of a
 * connection's messages holds whichever instance answers, and requests grow with the load.
 */
export class SendLanes {
  readonly #bus: Pick<Bus, 'call'>;
  readonly #lanes = new Map<RoomId, WaitingSend[]>();

  constructor(bus: Pick<Bus, 'call'>) {
    this.#bus = bus;
  }

  /**
   * Resolves once the message is committed.
   * @param deadline In ms since 1970.
   * @throws ParleyError `room_not_found`, `not_in_room`, `unavailable`.
   */
  async send(roomId: RoomId, send: Send, deadline: number): Promise<Committed> {
    const result = await new Promise<SendResult>((resolve, reject) => {
      const waiting = { send, deadline, resolve, reject };
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
    while (lane.length > 0) await this.#commit(roomId, takeRequest(lane));
    this.#lanes.delete(roomId);
  }

  async #commit(roomId: RoomId, batch: readonly WaitingSend[]): Promise<void> {
    try {
      // The first came first, so its deadline is the earliest.
      const context = { ...createContext(0), deadline: batch[0]!.deadline };
      const { results } = await this.#bus.call(
        commitSends,
        { roomId, sends: batch.map(({ send }) => send) },
        context,
      );
      batch.forEach(({ resolve }, index) => {
        resolve(results[index]!);
      });
    } catch (error) {
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
