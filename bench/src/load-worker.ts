/** The load generator: a process of its own, so that its CPU time is not taken for that of what it measures. */
import { setTimeout as delay } from 'node:timers/promises';
import { churn } from './churn.ts';
import { eachAtOnce, opensAtOnce } from './each-at-once.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadMethods } from './load-plan.ts';
import type { LoadCall, LoadReply } from './load-process.ts';
import { Load } from './load.ts';
import { Returners } from './returners.ts';

/** For how long nothing may come before no more is waited for. */
const silenceMs = 3_000;
const pollMs = 20;

let connections: LoadConnection[] = [];
let load: Load | undefined;
let returners: Returners | undefined;

const methods: LoadMethods = {
  async open({ wire, seats, contentBytes, clientIds }) {
    await eachAtOnce(seats, opensAtOnce, async (seat) => {
      connections.push(await LoadConnection.open(seat, wire, contentBytes, clientIds));
    });
    // So that those who send are dealt out as they were meant to be, whoever was in first.
    connections.sort((a, b) => a.seat.number - b.seat.number);
  },

  start(plan) {
    load = new Load(connections, plan);
    return Promise.resolve();
  },

  begin() {
    load!.begin();
    return Promise.resolve();
  },

  end() {
    load!.end();
    return Promise.resolve();
  },

  finish: () => load!.finish(),

  async settle(expected) {
    const missing = (): number =>
      connections.reduce(
        (sum, { seat, deliveries, isClosed }) =>
          isClosed ? sum : sum + Math.max((expected.get(seat.number) ?? 0) - deliveries.count, 0),
        0,
      );
    let before = missing();
    for (let silentMs = 0; before > 0 && silentMs < silenceMs; silentMs += pollMs) {
      await delay(pollMs);
      const now = missing();
      if (now < before) silentMs = 0;
      before = now;
    }
  },

  accounts: () =>
    Promise.resolve(
      connections.map(({ seat, outcomes, deliveries, errors }) => ({
        number: seat.number,
        outcomes,
        deliveries,
        errors: errors.map((text) => `${seat.user}: ${text}`),
      })),
    ),

  churn,

  async stay(plan) {
    returners = await Returners.open(plan);
  },

  awaitReturns: (patienceMs) => returners!.awaitReturns(patienceMs),

  greet: (speakers) => returners!.greet(speakers),

  close() {
    for (const connection of connections) connection.close();
    connections = [];
    returners?.close();
    returners = undefined;
    return Promise.resolve();
  },
};

async function answer({ call, method, parameter }: LoadCall): Promise<void> {
  let reply: LoadReply;
  try {
    const handle = methods[method] as (parameter: unknown) => Promise<unknown>;
    reply = { call, result: await handle(parameter) };
  } catch (error) {
    reply = { call, error: (error as Error).message };
  }
  process.send!(reply);
}

process.on('message', (message: LoadCall) => void answer(message));
process.once('disconnect', () => process.exit());
// Ctrl-C reaches the whole terminal; whoever started us ends us.
process.on('SIGINT', () => {});
