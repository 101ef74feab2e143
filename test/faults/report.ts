import { describeFault } from './injection/schedule.ts';
import type { RunOptions, RunResult } from './run.ts';
import type { Journal } from './journal.ts';
import type { Violation } from './audit/violation.ts';

/** How much of what happened is shown around a violation, in ms. */
const beforeMs = 4_000;
const afterMs = 1_000;
/** Faults so long before a violation count as its possible cause. */
const causeMs = 30_000;
const shownKinds = 10;
const shownEvents = 25;
const shownAlike = 10;
const msPerMinute = 60_000;

type Asked = Pick<RunOptions, 'seed' | 'minutes'>;

/** What a run has shown, in a few lines. */
export function summary(result: RunResult, { seed, minutes }: Asked): string {
  const { journal, faults, violations, recoveredMs } = result;
  const kinds = Map.groupBy(faults, ({ fault }) => fault.kind);
  const byKind = [...kinds].map(([kind, all]) => `${kind} ${all.length}`).sort();
  const failed = faults.filter(({ failure }) => failure !== undefined);
  const confirmed = journal.sent.filter(({ attempts }) => attempts.some(isConfirmed)).length;
  const repeated = journal.sent.filter(({ attempts }) => attempts.length > 1).length;
  const deliveries = journal.streams.reduce((sum, { live }) => sum + live.length, journal.strays.length);
  const read = journal.streams.reduce((sum, { pages }) => sum + pages.length, 0);
  const files = journal.uploads.filter(({ confirmedAt }) => confirmedAt !== undefined).length;
  const closes = [...journal.closes].map(([code, count]) => `${code}: ${count}`);
  return [
    `Seed ${seed}, ${minutes} min.`,
    `Faults injected: ${faults.length} (${byKind.join(', ') || 'none'})`,
    ...failed.map(({ fault, failure }) => `  could not be done: ${describeFault(fault)}: ${failure}`),
    `Messages: ${journal.sent.length} sent, ${confirmed} confirmed, ${repeated} of them sent more than once`,
    `Deliveries audited: ${deliveries} live, ${read} read to catch up`,
    `Files confirmed: ${files} of ${journal.uploads.length}; receipts looked at: ${journal.receipts.length}`,
    `Connections: ${journal.connections}; closed with ${closes.join(', ')}`,
    `Refused requests: ${refusals(journal)}`,
    `Everything worked again ${(recoveredMs / 1_000).toFixed(1)} s after the last fault`,
    `Violations: ${violations.length}`,
  ].join('\n');
}

/** Each of the first violations with what happened around it and how to see it again. */
export function describeViolations(result: RunResult, asked: Asked): string {
  // One thing that is broken breaks many promises of a kind: the first of each kind tells enough.
  const kinds = [...Map.groupBy(result.violations, kindOf).values()];
  const shown = kinds.slice(0, shownKinds).map((alike) => {
    const more = alike.slice(1, shownAlike).map((violation) => `\n  too: ${sentence(violation, result)}`);
    const rest = alike.length > shownAlike ? `\n  and ${alike.length - shownAlike} more like it` : '';
    return `${describeOne(alike[0]!, result, asked)}${more.join('')}${rest}`;
  });
  const rest = kinds.length - shown.length;
  return [...shown, ...(rest > 0 ? [`... and ${rest} other kinds`] : [])].join('\n\n');
}

/** Its sentence without what differs each time. */
function kindOf({ point, what }: Violation): string {
  return `${point} ${what.replaceAll(/"[^"]*"/g, '').replaceAll(/[\w-]*\d[\w.:-]*/g, '')}`;
}

function describeOne(violation: Violation, result: RunResult, { seed, minutes }: Asked): string {
  const { at } = violation;
  const lines = [sentence(violation, result), `  seed ${seed}`];
  const shownAt = at ?? result.beganAt + minutes * msPerMinute;
  for (const line of timeline(violation, shownAt, result)) lines.push(`  ${line}`);
  const causes = result.faults.filter(
    ({ beganAt, endedAt }) => beganAt <= shownAt && endedAt >= shownAt - causeMs,
  );
  const replayMinutes = at === undefined ? minutes : Math.ceil((at - result.beganAt) / 6_000 + 1) / 10;
  const only = causes.map(({ fault }) => fault.number).join(',');
  lines.push(
    `  replay: npm run test:faults -- --seed ${seed} --minutes ${Math.min(minutes, replayMinutes)}${only && ` --only ${only}`}`,
  );
  return lines.join('\n');
}

function sentence({ point, what, room, user, at }: Violation, { beganAt }: RunResult): string {
  const when = at === undefined ? '' : ` (at ${((at - beganAt) / 1_000).toFixed(3)} s)`;
  return `(${point}) ${[room, user].filter(Boolean).join(', ')}: ${what}${when}`;
}

interface TimelineEvent {
  at: number;
  what: string;
}

/** What happened around that time to the room and the user concerned, and to the system. */
function timeline(violation: Violation, around: number, { journal, faults, beganAt }: RunResult): string[] {
  const events: TimelineEvent[] = [
    ...faults.flatMap(({ fault, beganAt: began, endedAt }) => [
      { at: began, what: `FAULT ${describeFault(fault)}` },
      { at: endedAt, what: `over: #${fault.number}` },
    ]),
    ...clientEvents(violation, journal),
  ];
  const near = [
    ...events.filter(({ at }) => at >= around - beforeMs && at <= around + afterMs),
    ...beginnings(violation, journal)
      .filter(({ at }) => at < around - beforeMs)
      .slice(-1),
  ].sort((one, other) => one.at - other.at);
  const unlike = near.filter(({ what }, index) => what !== near[index - 1]?.what);
  return unlike
    .slice(-shownEvents)
    .map(({ at, what }) => `${((at - beganAt) / 1_000).toFixed(3).padStart(9)} s  ${what}`);
}

/** When the user's connections began in the room. */
function beginnings({ room, user }: Violation, { streams }: Journal): TimelineEvent[] {
  return streams
    .filter((stream) => stream.user === user && (room === undefined || stream.room === room))
    .map(({ beganAt, connection, after, pages, acknowledged }) => ({
      at: beganAt,
      what: `connection ${connection} begins after ${after}, reads ${pages.length}, acknowledges ${acknowledged.length}`,
    }))
    .sort((one, other) => one.at - other.at);
}

function* clientEvents({ room, user }: Violation, journal: Journal): Generator<TimelineEvent> {
  for (const stream of journal.streams) {
    if (stream.user !== user || (room !== undefined && stream.room !== room)) continue;
    const who = `connection ${stream.connection}`;
    yield { at: stream.beganAt, what: `${who} begins after ${stream.after}, reads ${stream.pages.length}` };
    for (const { at, id, sender } of stream.live) yield { at, what: `${who} gets ${id} of ${sender}` };
    if (stream.endedAt !== undefined) yield { at: stream.endedAt, what: `${who} ends` };
  }
  for (const one of journal.memberships) {
    if (!one.member.startsWith(user ?? '\0') || one.room !== room) continue;
    yield { at: one.from, what: `${one.member} is to be in the room` };
    if (one.until !== undefined) yield { at: one.until, what: `${one.member} is out of the room` };
  }
  for (const { sender, room: where, text, attempts } of journal.sent) {
    if (sender !== user || where !== room) continue;
    for (const { at, outcome, connection } of attempts) {
      yield { at, what: `connection ${connection} sends "${text}"` };
      if (outcome)
        yield { at: outcome.at, what: `"${text}" is ${'id' in outcome ? outcome.id : outcome.code}` };
    }
  }
  for (const { at, user: who, action, code } of journal.refusals)
    if (who === user) yield { at, what: `${action} is refused with ${code}` };
}

function refusals({ refusals: all }: Journal): string {
  const codes = Map.groupBy(all, ({ code }) => code);
  return [...codes].map(([code, refused]) => `${code} ${refused.length}`).join(', ') || 'none';
}

function isConfirmed({ outcome }: { outcome?: object }): boolean {
  return outcome !== undefined && 'id' in outcome;
}
