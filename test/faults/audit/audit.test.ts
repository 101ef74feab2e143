import { describe, expect, test } from '@jest/globals';
import { audit } from './audit.ts';
import { message, soundRun, type SoundRun } from './doctored.ts';

/** What the audit of a sound run finds once it is spoiled, as `point what`. */
function findings(spoil: (run: SoundRun) => unknown): string[] {
  const run = soundRun();
  spoil(run);
  return audit(run.journal, run.final).map(({ point, what }) => `${point} ${what}`);
}

function historyOf({ final }: SoundRun): ReturnType<typeof message>[] {
  return final.histories.get('tea')!;
}

test('a run in which every promise was kept has no violations', () => {
  expect(findings(() => {})).toEqual([]);
});

describe('what clients may meet is no violation', () => {
  test('a message that was never confirmed, stored or not', () => {
    const lost = { sender: 'anna', room: 'tea', text: 'lost', attempts: [{ connection: 1, at: 650 }] };
    expect(
      findings(({ journal }) => {
        delete journal.sent[3]!.attempts[0]!.outcome;
        journal.sent.push(lost);
      }),
    ).toEqual([]);
  });

  test('a repeat that is confirmed with the id of the first', () => {
    expect(
      findings(({ journal }) => {
        const [sent] = journal.sent;
        sent!.attempts.unshift({ connection: 9, at: 90 });
      }),
    ).toEqual([]);
  });

  test('a frame of the handshake that comes again, and an acknowledged one that does', () => {
    expect(
      findings(({ dora: [first, second] }) => {
        first.live.push(first.live[2]!);
        second.live.unshift({ ...first.live[1]!, at: 391 });
      }),
    ).toEqual([]);
  });

  test('a connection that is lost before it has caught up, or has everything', () => {
    expect(
      findings(({ berta }) => {
        berta.isCaughtUp = false;
        berta.pages.pop();
        berta.live.pop();
        berta.endedAt = 700;
      }),
    ).toEqual([]);
  });

  test('what was on its way when a membership ended', () => {
    expect(
      findings(({ journal, berta }) => {
        journal.memberships[1]!.until = 605;
        berta.live.pop();
        berta.endedAt = 600;
        journal.strays.push({
          ...berta.live.pop()!,
          user: 'berta',
          member: 'berta',
          connection: 2,
          room: 'tea',
        });
      }),
    ).toEqual([]);
  });
});

/** Each a bug, planted once, with what the audit has to say of it. */
const bugs: [what: string, finding: string | RegExp, spoil: (run: SoundRun) => unknown][] = [
  [
    'a confirmed message that is nowhere',
    '1 "anna says 9" was confirmed as 9, but is not in history',
    ({ journal }) =>
      journal.sent.push({
        sender: 'anna',
        room: 'tea',
        text: 'anna says 9',
        attempts: [{ connection: 1, at: 900, outcome: { at: 910, id: 9, timestamp: '' } }],
      }),
  ],
  [
    'a message that was confirmed with the id of another',
    '1 "anna says 2" was confirmed as 1, but is 2',
    ({ journal }) => (journal.sent[1]!.attempts[0]!.outcome = { at: 210, id: 1, timestamp: '' }),
  ],
  [
    'a message that was confirmed with another time than history has',
    /^1 "anna says 1" \(1\) was confirmed at 2000/,
    ({ journal }) => (journal.sent[0]!.attempts[0]!.outcome = { at: 110, id: 1, timestamp: '2000' }),
  ],
  [
    'a repeat that was stored again',
    '1 "anna says 1" is in history 2 times: 1, 8',
    (run) => historyOf(run).push({ ...message(8, 'anna'), text: 'anna says 1' }),
  ],
  [
    'a connection whose messages changed places',
    '1 "anna says 1" (1) was sent after "anna says 4" (4)',
    ({ journal }) => journal.sent.unshift(...journal.sent.splice(3, 1)),
  ],
  ['a hole in the ids', '2 8 stands where 7 belongs', (run) => (historyOf(run)[6]!.id = 8)],
  [
    'a time that goes back',
    /^2 7 is of 1970/,
    (run) => (historyOf(run)[6]!.timestamp = '1970-01-01T00:00:00.000Z'),
  ],
  [
    'a message that came twice',
    '3 connection 2: 5 came twice',
    ({ berta }) => berta.live.push(berta.live[2]!),
  ],
  [
    'messages out of order',
    '3 connection 2: 5 came after 6',
    ({ berta }) => berta.live.splice(2, 2, berta.live[3]!, berta.live[2]!),
  ],
  [
    'a message that was left out',
    '3 connection 2: 5 is missing between 4 and 6',
    ({ berta }) => berta.live.splice(2, 1),
  ],
  [
    'a message lost between history and what is live',
    '3 connection 2: 3 is missing after 2, which it knew; 4 came first',
    ({ berta }) => berta.live.shift(),
  ],
  [
    'a resumed connection that was not sent what it missed',
    '3 connection 3: 1 is missing after 0, which it knew; 2 came first',
    ({ carl }) => carl.live.shift(),
  ],
  [
    'an unacknowledged message that did not come again',
    '3 connection 5: 3 is missing after 0, which it knew; 4 came first',
    ({ dora: [, second] }) => second.live.shift(),
  ],
  [
    'the last message, which never came',
    '3 connection 2: 7 is missing at the end, after 6',
    ({ berta }) => berta.live.pop(),
  ],
  [
    'a page of history with a hole',
    '3 connection 2: history after 0 has 2 in place of 1',
    ({ berta }) => berta.pages.shift(),
  ],
  [
    'a sender that is told its own message',
    '3 connection 1: its own message 4 came back',
    (run) => run.anna.live.splice(1, 0, { ...historyOf(run)[3]!, at: 420 }),
  ],
  [
    'a delivery of what is not in history',
    /^4 got 8 "anna says 8" of anna .*; history has nothing there$/,
    ({ carl }) => carl.live.push({ ...message(8, 'anna'), at: 820 }),
  ],
  [
    'a delivery under another sender',
    /^4 got 3 "carl says 3" of berta .*; history has 3 "carl says 3" of carl/,
    ({ berta }) => (berta.live[0]!.sender = 'berta'),
  ],
  [
    'a page that says something else than the final history',
    /^4 got 1 "anna said 1" of anna/,
    ({ journal }) =>
      journal.pages.push({
        at: 300,
        user: 'berta',
        room: 'tea',
        after: 0,
        messages: [{ ...message(1, 'anna'), text: 'anna said 1' }],
      }),
  ],
  [
    'a page in between with a hole',
    '2 history after 0 has 2 in place of 1',
    (run) =>
      run.journal.pages.push({
        at: 300,
        user: 'berta',
        room: 'tea',
        after: 0,
        messages: historyOf(run).slice(1, 2),
      }),
  ],
  [
    'a delivery to somebody who never was in the room',
    '5 got 3 of a room that it was never in',
    (run) =>
      run.journal.strays.push({
        ...historyOf(run)[2]!,
        at: 320,
        user: 'emil',
        member: 'emil',
        connection: 6,
        room: 'tea',
      }),
  ],
  [
    'a delivery of what was said after the membership had ended',
    '5 got 7, which was sent 50 ms after its membership had ended',
    (run) => {
      run.journal.memberships[1]!.until = 650;
      run.journal.sent.push({
        sender: 'anna',
        room: 'tea',
        text: 'cake.bin',
        attempts: [{ connection: 1, at: 700 }],
      });
    },
  ],
  [
    'a private room that answered a stranger',
    '5 get_messages was answered to one who is not in the room',
    ({ journal }) => journal.trespasses.push({ at: 300, user: 'emil', room: 'tea', action: 'get_messages' }),
  ],
  [
    'a confirmed file with other bytes',
    '6 the file cake.bin has the hash wrong, not right',
    ({ final }) => final.files.set('tea/cake.bin', 'wrong'),
  ],
  [
    'a confirmed file that is gone',
    "6 the confirmed file cake.bin can't be downloaded",
    ({ final }) => final.files.delete('tea/cake.bin'),
  ],
  [
    'a confirmed file that nobody was told of',
    '6 the confirmed file pie.bin was never announced',
    ({ journal, final }) => {
      journal.uploads.push({ user: 'anna', room: 'tea', name: 'pie.bin', sha256: 'pie', confirmedAt: 800 });
      final.files.set('tea/pie.bin', 'pie');
    },
  ],
  [
    'a file that was announced twice',
    '6 the file cake.bin was announced 2 times',
    (run) => historyOf(run).push({ ...message(8, 'anna'), text: 'cake.bin' }),
  ],
  [
    'a receipt for what was never acknowledged',
    '7 is said to have acknowledged all up to 7, but not so 5',
    ({ dora: [, second] }) => second.acknowledged.splice(2, 1),
  ],
  [
    'a receipt that is told before it was given',
    '7 is said to have acknowledged 2, but not so 2',
    ({ journal }) => (journal.receipts[0]!.at = 225),
  ],
  [
    'a request that was never answered',
    '8 connection 2: get_rooms was never answered',
    ({ journal }) => journal.silences.push({ at: 500, user: 'berta', connection: 2, action: 'get_rooms' }),
  ],
  [
    'an error that nothing explains',
    '8 connection 2: get_rooms was refused with internal',
    ({ journal }) =>
      journal.refusals.push({ at: 500, user: 'berta', connection: 2, action: 'get_rooms', code: 'internal' }),
  ],
  [
    'a system that does not recover',
    '8 not every part is ready',
    ({ final }) => final.unrecovered.push({ what: 'not every part is ready' }),
  ],
];

test.each(bugs)('%s is caught', (_what, finding, spoil) => {
  expect(findings(spoil)).toContainEqual(
    typeof finding === 'string' ? finding : expect.stringMatching(finding),
  );
});
