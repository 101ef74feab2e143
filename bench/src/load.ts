import { setTimeout as delay } from 'node:timers/promises';
import { nowMicros } from './clock.ts';
import { Histogram } from './histogram.ts';
import type { LoadConnection, LoadListener } from './load-connection.ts';
import type { LoadCounts, LoadPlan } from './load-plan.ts';

const drainMicros = 30e6;
const microsPerSecond = 1e6;

/** One load on the given connections: started, measured for a while, then finished. Times are in microseconds. */
export class Load implements LoadListener {
  readonly #senders: readonly LoadConnection[];
  readonly #plan: LoadPlan;
  readonly #latency = new Histogram();
  readonly #delivery = new Histogram();
  readonly #lateness = new Histogram();
  readonly #deliveryBySecond: Histogram[] = [];
  #isRunning = true;
  #timer: NodeJS.Timeout | undefined;
  #beganAt = Infinity;
  #endedAt = Infinity;
  #confirmed = 0;
  #refused = 0;
  #delivered = 0;
  #reads = 0;

  constructor(connections: readonly LoadConnection[], plan: LoadPlan) {
    this.#senders = connections.filter(({ seat }) => seat.number < plan.senders);
    this.#plan = plan;
    for (const connection of connections) connection.listener = this;
    if (plan.kind === 'closed') for (const sender of this.#senders) sender.send(plan.window, nowMicros());
    else if (this.#senders.length > 0) this.#pace((plan.perSecond * this.#senders.length) / plan.senders);
  }

  onAnswer(connection: LoadConnection, sequence: number, at: number): void {
    const isConfirmed = connection.isConfirmed(sequence);
    if (this.#isMeasured(at)) {
      if (isConfirmed) this.#confirmed += 1;
      else this.#refused += 1;
    }
    const begunAt = connection.begunAt(sequence);
    if (isConfirmed && this.#isMeasured(begunAt)) this.#latency.record(at - begunAt);
  }

  onDelivery(sentAt: number, at: number): void {
    if (this.#isMeasured(at)) this.#delivered += 1;
    if (!this.#isMeasured(sentAt)) return;
    this.#delivery.record(at - sentAt);
    if (this.#plan.timeline) this.#inSecondOf(sentAt).record(at - sentAt);
  }

  #inSecondOf(at: number): Histogram {
    const second = Math.floor((at - this.#beganAt) / microsPerSecond);
    while (this.#deliveryBySecond.length <= second) this.#deliveryBySecond.push(new Histogram());
    return this.#deliveryBySecond[second]!;
  }

  /** Who lost a connection is told in its account. */
  onLost(): void {}

  onRead(connection: LoadConnection, answers: number, deliveries: number): void {
    if (deliveries > 0 && this.#isMeasuring) this.#reads += 1;
    if (answers > 0 && this.#isRunning && this.#plan.kind === 'closed') connection.send(answers, nowMicros());
  }

  get #isMeasuring(): boolean {
    return this.#beganAt !== Infinity && this.#endedAt === Infinity;
  }

  #isMeasured(at: number): boolean {
    return at >= this.#beganAt && at < this.#endedAt;
  }

  #pace(perSecond: number): void {
    const startedAt = nowMicros();
    let sent = 0;
    const sendDue = (): void => {
      const at = nowMicros();
      const due = Math.floor(((at - startedAt) * perSecond) / microsPerSecond);
      for (; sent < due; sent += 1) {
        const dueAt = Math.round(startedAt + ((sent + 1) * microsPerSecond) / perSecond);
        if (this.#isMeasured(dueAt)) this.#lateness.record(at - dueAt);
        this.#senders[sent % this.#senders.length]!.send(1, dueAt);
      }
      this.#timer = setTimeout(sendDue, 1);
    };
    sendDue();
  }

  /** Measures from now on. */
  begin(): void {
    this.#beganAt = nowMicros();
  }

  /** Measures until now. */
  end(): void {
    this.#endedAt = nowMicros();
  }

  /** Sends no more and waits for the answers that are due, 30 s at the most. */
  async finish(): Promise<LoadCounts> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    const deadline = nowMicros() + drainMicros;
    while (this.#senders.some((sender) => sender.inFlight > 0 && !sender.isClosed)) {
      if (nowMicros() > deadline) break;
      await delay(10);
    }
    return {
      elapsed: this.#endedAt - this.#beganAt,
      confirmed: this.#confirmed,
      refused: this.#refused,
      delivered: this.#delivered,
      reads: this.#reads,
      latency: this.#latency.snapshot(),
      delivery: this.#delivery.snapshot(),
      deliveryBySecond: this.#deliveryBySecond.map((second) => second.snapshot()),
      lateness: this.#lateness.snapshot(),
    };
  }
}
