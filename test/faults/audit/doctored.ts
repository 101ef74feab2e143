import {
  Journal,
  type Delivery,
  type FinalState,
  type SeenMessage,
  type Sent,
  type Stream,
  type Unrecovered,
} from '../journal.ts';

/** A small run in which every promise was kept, for tests to spoil. */
export interface SoundRun {
  journal: Journal;
  final: { histories: Map<string, SeenMessage[]>; files: Map<string, string>; unrecovered: Unrecovered[] };
  /** Of the room `tea`: anna (connection 1) and berta (2) of the login dialect, carl (3) who is told his own. */
  anna: Stream;
  berta: Stream;
  carl: Stream;
  /** Under the handshake: first on connection 4, then on 5. */
  dora: [Stream, Stream];
}

const room = 'tea';
const senders = ['anna', 'anna', 'carl', 'anna', 'carl', 'anna'];
const connectionOf: Record<string, number> = { anna: 1, berta: 2, carl: 3 };

/** Six messages and a file: 1 to 7, each sent at its id times 100, confirmed 10 and delivered 20 later. */
export function soundRun(): SoundRun {
  const journal = new Journal();
  const history = senders.map((sender, index) => message(index + 1, sender));
  history.push({ id: 7, sender: 'anna', text: 'cake.bin', timestamp: timeOf(7) });
  for (const { id, sender, text, timestamp } of history.slice(0, -1)) {
    const outcome = { at: id * 100 + 10, id, timestamp };
    const sent: Sent = {
      sender,
      room,
      text,
      attempts: [{ connection: connectionOf[sender]!, at: id * 100, outcome }],
    };
    journal.sent.push(sent);
  }
  journal.uploads.push({ user: 'anna', room, name: 'cake.bin', sha256: 'right', confirmedAt: 710 });
  for (const user of ['anna', 'berta', 'dora', 'carl/3'])
    journal.memberships.push({ member: user, room, from: 0 });

  const stream = (user: string, connection: number, more: Partial<Stream>): Stream => {
    const made: Stream = {
      user,
      member: user,
      connection,
      room,
      catchUp: 'pages',
      tellsSenders: false,
      after: 0,
      beganAt: 1,
      isCaughtUp: true,
      pages: [],
      live: [],
      acknowledged: [],
      ...more,
    };
    journal.streams.push(made);
    return made;
  };
  const live = (...ids: number[]): Delivery[] =>
    ids.map((id) => ({ ...history[id - 1]!, at: id * 100 + 20 }));
  const anna = stream('anna', 1, { live: live(3, 5) });
  const berta = stream('berta', 2, { beganAt: 250, pages: history.slice(0, 2), live: live(3, 4, 5, 6, 7) });
  const carl = stream('carl', 3, {
    member: 'carl/3',
    catchUp: 'server',
    tellsSenders: true,
    live: live(1, 2, 3, 4, 5, 6, 7),
  });
  const receipt = (id: number) => ({ id, at: id * 100 + 30 });
  const first = stream('dora', 4, {
    catchUp: 'receipts',
    live: live(1, 2, 3),
    acknowledged: [receipt(1), receipt(2)],
    endedAt: 380,
  });
  const second = stream('dora', 5, {
    catchUp: 'receipts',
    beganAt: 390,
    live: [{ ...history[2]!, at: 395 }, ...live(4, 5, 6, 7)],
    acknowledged: [{ id: 3, at: 396 }, ...[4, 5, 6, 7].map(receipt)],
  });
  journal.receipts.push(
    { at: 240, reader: 'dora', room, id: 2, kind: 'message' },
    { at: 900, reader: 'dora', room, id: 7, kind: 'position' },
  );
  const files = new Map([['tea/cake.bin', 'right']]);
  const final = { histories: new Map([[room, history]]), files, unrecovered: [] } satisfies FinalState;
  return { journal, final, anna, berta, carl, dora: [first, second] };
}

export function message(id: number, sender: string): SeenMessage {
  return { id, sender, text: `${sender} says ${id}`, timestamp: timeOf(id) };
}

function timeOf(id: number): string {
  return new Date(id * 100).toISOString();
}
