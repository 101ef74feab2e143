import { defaultRoomId } from '@parley/protocol';
import { readCorpus } from '../corpus.ts';
import { FrameSource } from '../generation/frame-source.ts';
import { Vocabulary } from '../generation/vocabulary.ts';
import { minimised } from '../minimise.ts';
import { logInOverHttp, newName, newPassword } from './accounts.ts';
import { FrameConnection, isSameProblem } from './frame-connection.ts';
import type { DialectName } from './frame-connection.ts';
import { minimisingMs, patienceMs, quickPatienceMs } from './part.ts';
import type { PartContext } from './part.ts';

/** Frames that are sent without waiting for answers, and how often one connection does so before another takes its place. */
const framesPerRound = 192;
const roundsPerConnection = 6;

/** A kind of connection: what it speaks, where, and who it is. */
interface Role {
  name: string;
  dialect: DialectName;
  path: string;
  isAccount?: boolean;
  isUnderHandshake?: boolean;
  /** What it begins with, one by one: after that its dialect is fixed, and it may be somebody. */
  beginning(guest: string, account: Account): string[];
  lanes: number;
}

interface Account {
  name: string;
  password: string;
  token: string;
}

const roles: readonly Role[] = [
  {
    name: 'nobody, login',
    dialect: 'login',
    path: '/',
    beginning: () => ['{"action":"get_rooms"}'],
    lanes: 2,
  },
  {
    name: 'account, login',
    isAccount: true,
    dialect: 'login',
    path: '/ws',
    beginning: (_guest, { name, password }) => [
      frame('login', { chatid: name, password, receipts: true }),
      frame('create_room', { room_name: 'Fuzz', participants: [] }),
    ],
    lanes: 3,
  },
  {
    name: 'account, login under the handshake',
    isAccount: true,
    dialect: 'login',
    path: '/',
    isUnderHandshake: true,
    beginning: (_guest, { name, password }) => [frame('login', { chatid: name, password, handshake: true })],
    lanes: 2,
  },
  {
    name: 'guest, login',
    dialect: 'login',
    path: '/',
    beginning: (guest) => [
      frame('login_as_guest', { chatid: guest }),
      frame('join_room', { room_id: defaultRoomId }),
    ],
    lanes: 1,
  },
  {
    name: 'nobody, identify',
    dialect: 'identify',
    path: '/',
    beginning: () => ['{"action":"roomsList"}'],
    lanes: 1,
  },
  {
    name: 'guest, identify',
    dialect: 'identify',
    path: '/',
    beginning: (guest) => [JSON.stringify({ action: 'identify', payload: { username: guest } })],
    lanes: 3,
  },
  {
    name: 'guest, join',
    dialect: 'join',
    path: '/chat',
    beginning: (guest) => [JSON.stringify({ action: 'join', username: guest, roomId: defaultRoomId })],
    lanes: 2,
  },
  {
    name: 'account, join',
    isAccount: true,
    dialect: 'join',
    path: '/chat',
    beginning: (_guest, { name, token }) => [
      JSON.stringify({ action: 'join', username: name, roomId: defaultRoomId, token }),
    ],
    lanes: 2,
  },
];

/** Something each dialect answers, whoever asks and whatever was before. */
const probes: Readonly<Record<DialectName, string>> = {
  login: '{"action":"get_receipts","data":{"room_id":"none"}}',
  identify: '{"action":"history","payload":{"room":"none"}}',
  join: '{"action":"leave","roomId":"none"}',
};

function frame(action: string, data: object): string {
  return JSON.stringify({ action, data });
}

/** Frames of all dialects, from many connections, none of which waits for an answer before it sends the next. */
export async function fuzzFrames(context: PartContext): Promise<void> {
  const corpus = readCorpus('frames').map(({ text }) => text);
  const lanes = roles.flatMap((role) =>
    Array.from({ length: role.lanes }, () => {
      return new Lane(role, { ...context, random: context.random.fork() }, corpus);
    }),
  );
  await Promise.all(lanes.map((lane) => lane.prepare()));
  await context.budget.prepared();
  await Promise.all(lanes.map((lane) => lane.run()));
}

/** One connection after the other, of one role. */
class Lane {
  readonly #role: Role;
  readonly #context: PartContext;
  readonly #vocabulary: Vocabulary;
  readonly #source: FrameSource;
  #account: Account = { name: '', password: '', token: '' };

  constructor(role: Role, context: PartContext, corpus: readonly string[]) {
    this.#role = role;
    this.#context = context;
    this.#vocabulary = new Vocabulary(context.vocabulary);
    this.#source = new FrameSource(role.dialect, context.random, this.#vocabulary, corpus);
  }

  async prepare(): Promise<void> {
    if (this.#role.isAccount) await this.#makeAccount();
  }

  async run(): Promise<void> {
    const { budget } = this.#context;
    while (!budget.isOver) await this.#useOne();
  }

  async #makeAccount(): Promise<void> {
    const { system, secrets } = this.#context;
    const account = { name: newName(), password: newPassword(secrets) };
    this.#account = { ...account, token: await logInOverHttp(system.gateway.url, account, secrets) };
    this.#vocabulary.learn('user', account.name);
    this.#vocabulary.learn('password', account.password);
  }

  /** Uses one connection for some rounds. */
  async #useOne(): Promise<void> {
    const { budget } = this.#context;
    const connection = await this.#open(patienceMs);
    const begun = connection.sent.length;
    for (let round = 0; round < roundsPerConnection && !budget.isOver; round += 1) {
      const frames = Array.from({ length: framesPerRound }, () => this.#source.next());
      budget.sent.frames += frames.length;
      const problem = await connection.ask([...frames, probes[this.#role.dialect]], patienceMs);
      if (problem !== undefined) await this.#report(problem, connection.sent.slice(begun));
      if (problem !== undefined || !connection.isOpen) break;
    }
    for (const key of this.#vocabulary.known('key')) this.#context.secrets.add(String(key));
    await connection.close();
  }

  /** A connection that is who it is to be. */
  async #open(patience: number): Promise<FrameConnection> {
    const { system, random } = this.#context;
    const { dialect, path } = this.#role;
    const connection = await new FrameConnection({
      url: system.gateway.webSocketUrl + path,
      dialect,
      isUnderHandshake: this.#role.isUnderHandshake ?? false,
      vocabulary: this.#vocabulary,
      random: random.fork(),
    }).opened();
    const guest = newName();
    for (const text of this.#role.beginning(guest, this.#account)) {
      const problem = await connection.ask([text], patience);
      if (problem !== undefined) await this.#report(problem, [text]);
    }
    connection.isHonest = false;
    return connection;
  }

  async #report(problem: string, sent: readonly string[]): Promise<void> {
    const { findings } = this.#context;
    const finding = { part: 'frames', what: `${this.#role.name}: ${problem}` } as const;
    if (!findings.isNew(finding)) return;
    findings.add({ ...finding, input: sent });
    const fails = (frames: readonly string[]): Promise<boolean> => this.#failsAlike(frames, problem);
    const reproduced = await fails(sent);
    const input = reproduced ? await minimised(sent, fails, Date.now() + minimisingMs) : sent;
    findings.replace({ ...finding, input, reproduced });
  }

  /** Whether the frames cause the same on a connection of their own. */
  async #failsAlike(frames: readonly string[], problem: string): Promise<boolean> {
    const connection = await this.#open(quickPatienceMs);
    const again = await connection.ask(frames, quickPatienceMs);
    await connection.close();
    return isSameProblem(again, problem);
  }
}
