import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '@parley/local-stack';
import { Audit, type AuditResult } from './audit.ts';
import { Mover } from './mover.ts';

export interface MovingPlan {
  /** All on the first gateway. */
  connections: number;
  /** The connections are dealt out to so many rooms. */
  rooms: number;
  /** Messages a second, over all connections. */
  perSecond: number;
  /** How long they talk before the gateway is told to end, and after all are back, in ms. */
  talkMs: number;
  abort: AbortSignal;
}

/** What came of ending a gateway under load. Times are in ms. */
export interface MovingResult {
  /** From SIGTERM to the end of the process. */
  drainMs: number;
  /** How the connections ended, with how many. */
  reasons: Map<string, number>;
  /** When each connection ended, from SIGTERM. */
  closedAfterMs: number[];
  /** How long each was away: from its end until everything missed was there. */
  awayMs: number[];
  /** From the beginning of a send to its answer, for those that were under way between SIGTERM and the last return. */
  sendMs: number[];
  /** Sends that the first gateway answered after it had ended its first connection. */
  servedWhileDraining: number;
  /** Messages that were delivered twice or out of order, over all connections. */
  misdelivered: number;
  /** Connections that don't know all messages of their room. */
  incomplete: number;
  audit: AuditResult;
}

/** Hashing passwords is dear on purpose: all logins at once would wait beyond the time a request has. */
const loginsAtOnce = 4;
const patienceMs = 60_000;

/**
 * Lets many users of the first gateway talk, ends it with SIGTERM, lets them go on at the second, and compares what all of
 * them know with history.
 * @param stack With two gateways.
 * @throws Error where not all are back within a minute.
 */
export async function moveAll(stack: Stack, plan: MovingPlan): Promise<MovingResult> {
  const urls = stack.gateways.map(({ webSocketUrl }) => webSocketUrl);
  const movers = Array.from({ length: plan.connections }, (_, number) => new Mover(number, urls));
  const stop = new AbortController();
  const stopping = AbortSignal.any([stop.signal, plan.abort]);
  try {
    const waiting = movers.values();
    await Promise.all(Array.from({ length: loginsAtOnce }, () => logInAll(waiting)));
    const rooms = await Promise.all(
      Array.from({ length: plan.rooms }, (_, index) => makeRoom(index, movers, plan)),
    );
    const pauseMs = (plan.connections * 1_000) / plan.perSecond;
    const talks = rooms.flatMap(({ roomId, members }) =>
      members.map((mover) => mover.talk(roomId, pauseMs, stopping)),
    );
    const talking = Promise.all(talks);
    const times = await Promise.race([moveThem(stack, movers, plan), failureOf(talking)]);
    stop.abort();
    await talking;
    return { ...summary(movers, times), ...(await compare(rooms)) };
  } finally {
    stop.abort();
    for (const mover of movers) mover.close();
  }
}

interface Times {
  /** When the gateway was told to end. */
  toldAt: number;
  drainMs: number;
}

async function moveThem(
  stack: Stack,
  movers: readonly Mover[],
  { talkMs, abort }: MovingPlan,
): Promise<Times> {
  await delay(talkMs, undefined, { signal: abort });
  const toldAt = performance.now();
  await stack.gateways[0]!.stop();
  const drainMs = performance.now() - toldAt;
  await until('all are back', () => movers.every(({ moves }) => moves.length > 0), abort);
  await delay(talkMs, undefined, { signal: abort });
  return { toldAt, drainMs };
}

/** Rejects when the promise does; never resolves. */
function failureOf(promise: Promise<unknown>): Promise<never> {
  return new Promise((_resolve, reject) => {
    promise.catch(reject);
  });
}

interface Room {
  roomId: string;
  members: Mover[];
}

/** Takes one after the other from those waiting, until there are no more. */
async function logInAll(waiting: Iterable<Mover>): Promise<void> {
  for (const mover of waiting) await mover.logIn();
}

async function makeRoom(index: number, movers: readonly Mover[], { rooms }: MovingPlan): Promise<Room> {
  const members = movers.filter(({ number }) => number % rooms === index);
  const [owner, ...others] = members as [Mover, ...Mover[]];
  return { roomId: await owner.createRoom(`moving-${index}`, others), members };
}

function summary(
  movers: readonly Mover[],
  { toldAt, drainMs }: Times,
): Omit<MovingResult, 'audit' | 'incomplete'> {
  const moves = movers.flatMap((mover) => mover.moves);
  const sends = movers.flatMap((mover) => mover.sends);
  const reasons = new Map<string, number>();
  for (const { reason } of moves) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const firstClosedAt = Math.min(...moves.map(({ closedAt }) => closedAt));
  const lastBackAt = Math.max(...moves.map(({ backAt }) => backAt));
  return {
    drainMs,
    reasons,
    closedAfterMs: moves.map(({ closedAt }) => closedAt - toldAt),
    awayMs: moves.map(({ closedAt, backAt }) => backAt - closedAt),
    sendMs: sends
      .filter(({ begunAt, answeredAt }) => answeredAt >= toldAt && begunAt <= lastBackAt)
      .map(({ begunAt, answeredAt }) => answeredAt - begunAt),
    servedWhileDraining: sends.filter(
      ({ gateway, answeredAt }) => gateway === 0 && answeredAt > firstClosedAt,
    ).length,
    misdelivered: movers.reduce((sum, mover) => sum + mover.misdelivered, 0),
  };
}

/** Compares history with what the senders were told, and what each knows with history. */
async function compare(rooms: readonly Room[]): Promise<Pick<MovingResult, 'audit' | 'incomplete'>> {
  const movers = rooms.flatMap(({ members }) => members);
  const audit = new Audit(new Map(movers.map(({ number, outcomes }) => [number, outcomes])));
  let incomplete = 0;
  for (const { roomId, members } of rooms) {
    const history = await members[0]!.readHistory();
    audit.readRoom(roomId, new Set(members.map(({ number }) => number)), history);
    const last = history.at(-1)?.id ?? 0;
    // What was committed last may still be on its way to the others.
    const deadline = performance.now() + 5_000;
    while (members.some(({ complete }) => complete < last) && performance.now() < deadline) await delay(20);
    incomplete += members.filter(({ complete }) => complete < last).length;
  }
  return { audit: audit.result(), incomplete };
}

async function until(what: string, condition: () => boolean, abort: AbortSignal): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs / 1_000} s: ${what}`);
    await delay(20, undefined, { signal: abort });
  }
}
