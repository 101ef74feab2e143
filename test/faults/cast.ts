import { setTimeout as delay } from 'node:timers/promises';
import { IdentifyTalker } from './clients/identify-talker.ts';
import { JoinTalker } from './clients/join-talker.ts';
import { LoginTalker, type LoginTalkerOptions } from './clients/login-talker.ts';
import type { Room, Talker, TalkerParts } from './clients/talker.ts';
import type { Journal } from './journal.ts';
import type { SeededRandom } from './random.ts';
import { until } from './until.ts';

/** Between the first connections, in ms: hashing passwords is dear on purpose. */
const entranceMs = 60;
const settlingMs = 90_000;

/** Everybody who talks, and where. Closing it closes all their connections. */
export interface Cast extends AsyncDisposable {
  readonly talkers: readonly Talker[];
  readonly logins: readonly LoginTalker[];
  readonly identifiers: readonly IdentifyTalker[];
  /** Public, `default` among them. */
  readonly publicRooms: readonly Room[];
  readonly privateRooms: readonly Room[];
  /** Users present in each public room when all are where they want to be. */
  readonly presentIn: ReadonlyMap<string, number>;
  /** Reads slowly when asked to, in a room of its own with the next. */
  readonly reader: LoginTalker;
  readonly flooder: LoginTalker;
  readonly floodRoom: Room;
  /** Rejects when one of them fails in a way that no fault explains. */
  readonly running: Promise<unknown>;
}

export interface CastParts {
  journal: Journal;
  random: SeededRandom;
  gateways: readonly string[];
  abort: AbortSignal;
}

/** 40 clients: who speaks what. */
const movingLogins = 10;
const staidLogins = 6;
const handshakeLogins = 8;
const joinAccounts = 5;
const joinGuests = 3;
const identifyGuests = 6;
const privateRoomCount = 4;
const publicRoomCount = 3;

/** Lets all in and waits until each is where it wants to be; nobody has said anything yet. */
export async function assemble({ journal, random, gateways, abort }: CastParts): Promise<Cast> {
  const parts = (name: string): TalkerParts => ({ name, journal, random: random.fork(), gateways });
  const logins = (prefix: string, count: number, options: LoginTalkerOptions): LoginTalker[] =>
    Array.from({ length: count }, (_, index) => new LoginTalker(parts(`${prefix}${index + 1}`), options));
  const moving = logins('mover', movingLogins, { isMoving: true });
  const staid = logins('stayer', staidLogins, { receipts: true });
  const handshakers = logins('counter', handshakeLogins, { handshake: true });
  const [reader, flooder] = [new LoginTalker(parts('reader')), new LoginTalker(parts('flooder'))];
  const accounts = [...moving, ...staid, ...handshakers, reader, flooder];

  await using entered = new AsyncDisposableStack();
  const running: Promise<void>[] = [];
  const letIn = async (talkers: readonly Talker[]): Promise<void> => {
    for (const talker of talkers) {
      const run = talker.run();
      // Whoever waits for `running` is told; until then it must not end the process.
      run.catch(() => undefined);
      running.push(run);
      entered.defer(() => talker.close());
      await delay(entranceMs, undefined, { signal: abort });
    }
  };
  await letIn(accounts);
  await until(
    'all accounts are logged in',
    settlingMs,
    () => accounts.every(({ isQuiet }) => isQuiet),
    abort,
  );
  const [host] = staid as [LoginTalker];
  const privateRooms = await makePrivateRooms(moving, [...staid, ...handshakers]);
  const publicRooms: Room[] = [];
  for (let index = 0; index < publicRoomCount; index += 1) {
    publicRooms.push(await host.createRoom(`Square ${index + 1}`, [], 'public'));
  }
  const floodRoom = await flooder.createRoom('Flood', [reader], 'private');
  for (const account of [...moving, ...staid.slice(1), ...handshakers]) {
    for (const room of publicRooms) account.goTo(room);
  }
  for (const account of moving) account.forbidden = [floodRoom];

  const defaultRoom = await findDefaultRoom(host);
  const joiners = [
    ...Array.from(
      { length: joinAccounts },
      (_, index) => new JoinTalker(parts(`joiner${index + 1}`), publicRooms, true),
    ),
    ...Array.from(
      { length: joinGuests },
      (_, index) => new JoinTalker(parts(`guest${index + 1}`), publicRooms, false),
    ),
  ];
  const identifiers = Array.from(
    { length: identifyGuests },
    (_, index) => new IdentifyTalker(parts(`nick${index + 1}`), [defaultRoom, ...publicRooms]),
  );
  await letIn([...joiners, ...identifiers]);
  const talkers = [...accounts, ...joiners, ...identifiers];
  await until(
    'all clients are in their rooms',
    settlingMs,
    () => talkers.every(({ isQuiet }) => isQuiet),
    abort,
  );

  const talkative = moving.length + staid.length + handshakers.length + joiners.length + identifiers.length;
  const open = entered.move();
  return {
    talkers,
    logins: accounts,
    identifiers,
    publicRooms: [defaultRoom, ...publicRooms],
    privateRooms: [...privateRooms, floodRoom],
    presentIn: new Map([
      [defaultRoom.id, identifiers.length],
      ...publicRooms.map(({ id }): [string, number] => [id, talkative]),
    ]),
    reader,
    flooder,
    floodRoom,
    running: Promise.all(running),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Each of another owner, with all the others of the staid and some of those who move, whom the owner takes out for a while. */
async function makePrivateRooms(
  moving: readonly LoginTalker[],
  staid: readonly LoginTalker[],
): Promise<Room[]> {
  const rooms: Room[] = [];
  for (let index = 0; index < privateRoomCount; index += 1) {
    const owner = moving[index]!;
    const guests = moving.filter((mover, other) => mover !== owner && other % privateRoomCount === index);
    const room = await owner.createRoom(`Parlour ${index + 1}`, [...staid, ...guests], 'private');
    owner.host.owns(
      room,
      guests.map(({ name }) => name),
    );
    rooms.push(room);
  }
  return rooms;
}

async function findDefaultRoom(host: LoginTalker): Promise<Room> {
  const { rooms } = await host.ask('get_rooms', { scope: 'public' });
  const found = (rooms as { id: string; name: string }[]).find(({ name }) => name === 'default');
  if (!found) throw new Error('there is no room `default`');
  return { ...found, visibility: 'public' };
}
