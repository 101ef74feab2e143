import { setTimeout as delay } from 'node:timers/promises';
import type { Cast } from './cast.ts';
import { RefusedError } from './clients/talker.ts';
import { LostError } from './clients/wire.ts';
import type { Journal, Unrecovered } from './journal.ts';
import type { System } from './system.ts';

/** How long after the last fault everything has to work again, in ms. */
const recoveryMs = 30_000;
/** What is late has so long in addition to come at all, so that the audit does not take what is late for lost. */
const lateMs = 60_000;
const pollMs = 200;

/** What is not as it should be; empty when all is well. */
type Check = () => Promise<Unrecovered[]> | Unrecovered[];

/**
 * (8) After the last fault everybody says something once more; within 30 s every part is ready, everybody is connected, knows
 * everything and is confirmed in all, and all counts of users are right.
 * @returns What was not so in the end, and after how many ms everything was.
 */
export async function awaitRecovery(
  system: System,
  cast: Cast,
  journal: Journal,
  abort: AbortSignal,
): Promise<{ unrecovered: Unrecovered[]; recoveredMs: number }> {
  const beganAt = performance.now();
  const deadline = beganAt + recoveryMs;
  for (const talker of cast.talkers) talker.isResting = true;
  const isQuiet: Check = () =>
    cast.talkers.filter((talker) => !talker.isQuiet).map(({ name, state }) => ({ what: state, user: name }));
  const isReady: Check = async () => ((await system.ready()) ? [] : [{ what: 'not every part is ready' }]);
  const unsettled = await settle([isReady, isQuiet], deadline, abort);
  for (const talker of cast.talkers) for (const room of talker.places) talker.say(room);
  const unfinished = await settle(
    [isReady, isQuiet, () => lobbyErrors(cast), () => presenceErrors(cast)],
    deadline,
    abort,
  );
  const told = await settle([() => missingErrors(cast)], deadline, abort);
  const recoveredMs = performance.now() - beganAt;
  // Which of them had to come, the audit knows: there may have been nobody to hear of one.
  await settle([() => unannounced(journal)], deadline, abort);
  const unrecovered = [...unsettled, ...unfinished, ...told];
  if (unrecovered.length > 0) await settle([isQuiet, () => missingErrors(cast)], deadline + lateMs, abort);
  return { unrecovered, recoveredMs };
}

/** Looks again and again until every check is content or it is too late. */
async function settle(
  checks: readonly Check[],
  deadline: number,
  abort: AbortSignal,
): Promise<Unrecovered[]> {
  for (;;) {
    const wrong: Unrecovered[] = [];
    for (const check of checks) wrong.push(...(await check()));
    if (wrong.length === 0 || performance.now() > deadline) return wrong;
    await delay(pollMs, undefined, { signal: abort });
  }
}

function lobbyErrors({ identifiers, publicRooms, presentIn }: Cast): Unrecovered[] {
  return identifiers.flatMap(({ name, lobby }) =>
    publicRooms.flatMap((room) => {
      const [told, expected] = [lobby[room.name], presentIn.get(room.id)];
      return told === expected
        ? []
        : [{ what: `${name} is told ${told} users in ${room.name}, there are ${expected}` }];
    }),
  );
}

/** All members of private rooms are connected, and shown so. */
async function presenceErrors({ logins, privateRooms }: Cast): Promise<Unrecovered[]> {
  const errors = await Promise.all(
    privateRooms.map(async (room) => {
      const member = logins.find(({ places }) => places.some(({ id }) => id === room.id));
      if (!member) return [{ what: `nobody is in ${room.name}` }];
      const { users } = await member.ask('get_room_users', { room_id: room.id });
      const offline = (users as { chatid: string; online: boolean }[]).filter(({ online }) => !online);
      return offline.map(({ chatid }) => ({ what: `${chatid} is shown offline in ${room.name}` }));
    }),
  ).catch((error: unknown) => {
    if (error instanceof RefusedError || error instanceof LostError)
      return [[{ what: `presence is not told: ${error.message}` }]];
    throw error;
  });
  return errors.flat();
}

/** All know the newest message of their rooms; whether they know all before it, the streams show. */
function missingErrors({ talkers, publicRooms, privateRooms }: Cast): Unrecovered[] {
  return [...publicRooms, ...privateRooms].flatMap((room) => {
    const present = talkers.filter(({ places }) => places.some(({ id }) => id === room.id));
    const last = Math.max(...present.map((talker) => talker.newestOf(room.id)));
    const behind = present.filter((talker) => talker.newestOf(room.id) < last);
    return behind.map((talker) => ({
      what: `${talker.name} knows ${room.name} up to ${talker.newestOf(room.id)} of ${last}`,
    }));
  });
}

/** A file that was confirmed is announced sooner or later, even where its sender met a fault just then. */
function unannounced({ uploads, streams, strays }: Journal): Unrecovered[] {
  const waiting = new Map(
    uploads.filter(({ confirmedAt }) => confirmedAt !== undefined).map((one) => [one.name, one]),
  );
  for (const { live, pages } of streams) for (const { text } of [...pages, ...live]) waiting.delete(text);
  for (const { text } of strays) waiting.delete(text);
  return [...waiting.values()].map(({ name, user }) => ({ what: `${name} was not announced`, user }));
}
