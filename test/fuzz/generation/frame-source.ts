import fc from 'fast-check';
import { dialects, readFrame } from '@parley/protocol';
import type { Dialect } from '@parley/protocol';
import type { Bodies } from '../../../packages/protocol/src/dialects/arbitraries.ts';
import { identifyBodies } from '../../../packages/protocol/src/dialects/identify/arbitraries.ts';
import { joinBodies } from '../../../packages/protocol/src/dialects/join/arbitraries.ts';
import { loginBodies } from '../../../packages/protocol/src/dialects/login/arbitraries.ts';
import type { SeededRandom } from '../../faults/random.ts';
import { anyText, hostileValues, mutatedObject, mutatedText } from './hostile.ts';
import { Pool } from './pool.ts';
import type { Vocabulary } from './vocabulary.ts';

type DialectName = 'login' | 'identify' | 'join';

const grammars: Readonly<Record<DialectName, { bodies: Bodies; bodyField: string | undefined }>> = {
  login: { bodies: loginBodies, bodyField: 'data' },
  identify: { bodies: identifyBodies, bodyField: 'payload' },
  join: { bodies: joinBodies, bodyField: undefined },
};

/**
 * What takes a hundred times the work of others where it is well-formed (a password's hash), or leaves something behind, and the share of
 * it that is sent all the same.
 */
const shares: Readonly<Record<string, number>> = {
  register: 0.004,
  login: 0.01,
  create_room: 0.04,
  createRoom: 0.04,
  roomsList: 0.1,
  get_rooms: 0.2,
  get_messages: 0.1,
  history: 0.1,
  get_room_users: 0.2,
  watch_rooms: 0.1,
  logout: 0.2,
  file_send_fin: 0.3,
};

/** Frames of the corpus that are longer than this, in UTF-16 units, are sent less often. */
const longFrame = 2_000;
const shareOfLong = 0.05;

/** How a frame is made, and how many of a hundred are. */
const ways = [
  ['wellFormed', 6],
  ['wrongBody', 50],
  ['wrongText', 25],
  ['known', 9],
  ['foreign', 4],
  ['anything', 6],
] as const;
type Way = (typeof ways)[number][0];
const wayOf: readonly Way[] = ways.flatMap(([way, of100]) => Array.from({ length: of100 }, () => way));

/** The frames of one dialect: well-formed ones, and what becomes of them when something is changed. */
export class FrameSource {
  readonly #dialect: Dialect;
  readonly #bodyField: string | undefined;
  readonly #random: SeededRandom;
  readonly #vocabulary: Vocabulary;
  readonly #corpus: readonly string[];
  readonly #actions: readonly string[];
  readonly #bodies: ReadonlyMap<string, Pool<object>>;

  /** @param corpus Frames that are sent as they are, and changed. */
  constructor(name: string, random: SeededRandom, vocabulary: Vocabulary, corpus: readonly string[]) {
    const { bodies, bodyField } = grammars[name as DialectName];
    this.#dialect = dialects.find((dialect) => dialect.name === name)!;
    this.#bodyField = bodyField;
    this.#random = random;
    this.#vocabulary = vocabulary;
    this.#corpus = corpus;
    this.#actions = Object.keys(bodies);
    this.#bodies = new Map(
      Object.entries(bodies).map(([action, fields]) => [action, new Pool(fc.record({ ...fields }), random)]),
    );
  }

  /** For nobody who has to do what it asks for. */
  any(): string {
    return this.#draw().text;
  }

  /** For a system: little of what takes long there. */
  next(): string {
    for (;;) {
      const { action, text } = this.#draw();
      const share = Object.hasOwn(shares, action) ? shares[action]! : 1;
      if (share === 1 || this.#random.isTrue(share) || !this.#isWellFormed(text)) return text;
    }
  }

  #isWellFormed(text: string): boolean {
    return readFrame(text, this.#dialect, this.#dialect).command !== undefined;
  }

  #draw(): { action: string; text: string } {
    const random = this.#random;
    const action = random.pick(this.#actions);
    switch (random.pick(wayOf)) {
      case 'wellFormed':
        return { action, text: this.#frame(action) };
      case 'wrongBody':
        return { action, text: this.#wrong(action) };
      case 'wrongText':
        return { action, text: mutatedText(this.#frame(action), random) };
      case 'known':
        return { action: '', text: this.#known() };
      case 'foreign':
        return { action: '', text: this.#foreign() };
      case 'anything':
        return {
          action: '',
          text: random.isTrue(0.5) ? anyText(random) : JSON.stringify(random.pick(hostileValues)),
        };
    }
  }

  #body(action: string): object {
    return this.#vocabulary.filled(this.#bodies.get(action)!.draw(), this.#random, 0.85);
  }

  #frame(action: string, body: unknown = this.#body(action)): string {
    if (this.#bodyField === undefined) return JSON.stringify({ action, ...(body as object) });
    return JSON.stringify({ action, [this.#bodyField]: body });
  }

  #wrong(action: string): string {
    const random = this.#random;
    let body = this.#body(action);
    for (let times = 1 + random.below(2); times > 0; times -= 1) body = mutatedObject(body, random);
    return this.#frame(action, random.isTrue(0.05) ? random.pick(hostileValues) : body);
  }

  #known(): string {
    const random = this.#random;
    let text = random.pick(this.#corpus);
    while (text.length > longFrame && !random.isTrue(shareOfLong)) text = random.pick(this.#corpus);
    return random.isTrue(0.5) ? text : mutatedText(text, random);
  }

  #foreign(): string {
    const random = this.#random;
    const { bodies } = grammars[random.pick(Object.keys(grammars) as DialectName[])];
    return this.#frame(random.pick(Object.keys(bodies)), {});
  }
}
