import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { letterFrequencies, parseJson } from '@parley/protocol';
import { WebSocket } from 'ws';
import type { SeededRandom } from '../../faults/random.ts';
import type { Vocabulary } from '../generation/vocabulary.ts';
import { deliveredText, identifyRules, joinRules, loginRules, sentText } from './answer-rules.ts';
import { actionOf, Ledger, type AnyFrame } from './ledger.ts';

const rules = { login: loginRules, identify: identifyRules, join: joinRules };
export type DialectName = keyof typeof rules;

/** Why connections may end that did nothing that ends one: others may log in as their user, or end its sessions. */
const innocentCloses = [4001, 4003];
const messageTransaction = /^room_[0-9a-f]{24}\.\d+$/;

export interface FrameConnectionOptions {
  /** As `ws://127.0.0.1:20200/chat`. */
  url: string;
  dialect: DialectName;
  isUnderHandshake: boolean;
  vocabulary: Vocabulary;
  random: SeededRandom;
}

/** A connection that keeps count of what it asks and what is answered, and plays its part in the integrity handshake. */
export class FrameConnection {
  /** What was sent. */
  readonly sent: string[] = [];
  /** The first thing that was wrong. */
  problem: string | undefined;
  /** Whether it plays its part in the handshake as it should; else it also lies, keeps silent, and talks nonsense. */
  isHonest = true;
  readonly #options: FrameConnectionOptions;
  readonly #socket: WebSocket;
  readonly #ledger: Ledger;
  /** Requests that the server has counted and not yet closed. */
  readonly #exchanges = new Map<string, 'counted' | 'confirmed'>();
  /** Texts of messages under way that come back to us. */
  readonly #texts: unknown[] = [];
  /** Frames that were counted for the server. There are more as long as there is something to read: only those before now count. */
  readonly #counts = { asked: 0, answered: 0, due: 0 };
  #settled: (() => void) | undefined;

  constructor(options: FrameConnectionOptions) {
    this.#options = options;
    this.#ledger = new Ledger(rules[options.dialect]);
    this.#socket = new WebSocket(options.url, { perMessageDeflate: false, skipUTF8Validation: false });
    this.#socket.on('message', (data: Buffer) => {
      this.#take(data.toString());
    });
    this.#socket.on('close', (code: number) => {
      if (!innocentCloses.includes(code)) this.#wrong(`the connection was closed with ${code}`);
      this.#settled?.();
    });
    this.#socket.on('error', () => {
      // What is wrong is told by `close`.
    });
  }

  async opened(): Promise<this> {
    await once(this.#socket, 'open');
    return this;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends frames together, and waits for all of their answers. Answers with what is wrong, if anything. */
  async ask(frames: readonly string[], patienceMs: number): Promise<string | undefined> {
    this.#texts.length = 0;
    const stream = (this.#socket as unknown as { _socket?: { cork(): void; uncork(): void } })._socket;
    stream?.cork();
    for (const frame of frames) this.send(frame);
    stream?.uncork();
    this.#counts.due = this.#counts.asked;
    await this.#allAnswered(patienceMs);
    if (this.isOpen && !this.#isSettled) this.#wrong(`no answer to ${this.#missing.join(', ')}`);
    return this.problem;
  }

  send(written: string): void {
    if (!this.isOpen) return;
    // As UTF-8 will have it.
    const text = written.toWellFormed();
    this.sent.push(text);
    const action = actionOf(text);
    if (this.#needsAnswer(action, text)) this.#ledger.asked(action);
    this.#socket.send(text);
  }

  async close(): Promise<void> {
    this.#socket.removeAllListeners('close');
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    setTimeout(() => {
      this.#socket.terminate();
    }, 2_000).unref();
    if (this.#socket.readyState !== WebSocket.CLOSED) await closed;
  }

  get #isSettled(): boolean {
    return this.#ledger.isSettled && this.#exchanges.size === 0 && this.#counts.answered >= this.#counts.due;
  }

  get #missing(): string[] {
    const { answered, due } = this.#counts;
    return [
      ...this.#ledger.missing,
      ...(this.#exchanges.size > 0 ? ['exchanges of the handshake'] : []),
      ...(answered < due ? ['"character_count"'] : []),
    ];
  }

  async #allAnswered(patienceMs: number): Promise<void> {
    if (this.#isSettled || !this.isOpen || this.problem !== undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
      this.#settled = resolve;
    });
    clearTimeout(timer);
    this.#settled = undefined;
  }

  #needsAnswer(action: string, text: string): boolean {
    if (action === 'sendMessage' || action === 'send-message') {
      this.#texts.push(sentText[this.#options.dialect]?.(parseJson(text) as AnyFrame));
    }
    if (this.#options.dialect !== 'login') return true;
    if (action === 'character_count') this.#counts.asked += 1;
    if (action === 'character_count') return false;
    if (action !== 'confirm_count' && action !== 'ack') return true;
    const { data } = parseJson(text) as AnyFrame;
    const id: unknown = data?.transaction_id;
    // What was delivered may be acknowledged, and that is not answered.
    if (action === 'ack') return typeof id !== 'string' || !messageTransaction.test(id);
    if (typeof data?.confirm !== 'boolean' || this.#exchanges.get(id as string) !== 'counted') return true;
    this.#exchanges.set(id as string, 'confirmed');
    return false;
  }

  #take(text: string): void {
    const frame = parseJson(text) as AnyFrame;
    if (typeof frame['action'] !== 'string') this.#wrong(`a frame has no action: ${text.slice(0, 200)}`);
    this.#options.vocabulary.learnFrom(frame);
    const isAnswer = !this.#isOfCount(frame) && !this.#isOfExchange(frame) && !this.#isOfOthers(frame);
    const problem = isAnswer ? this.#ledger.took(frame) : this.#ledger.inspect(frame);
    if (problem !== undefined) this.#wrong(problem);
    this.#play(frame, text);
    if (this.#isSettled || this.problem !== undefined) this.#settled?.();
  }

  /** Whether the frame answers one that was counted for the server. */
  #isOfCount({ action, original_action }: AnyFrame): boolean {
    const isAnswer =
      action === 'confirm_count' || (action === 'error' && original_action === 'character_count');
    if (isAnswer) this.#counts.answered += 1;
    return isAnswer;
  }

  /** Whether the frame tells what became of a request whose count was answered before. */
  #isOfExchange({ action, status, data }: AnyFrame): boolean {
    const id: unknown = data?.transaction_id;
    if (typeof id !== 'string' || action === 'character_count' || !this.#exchanges.has(id)) return false;
    if (action === 'ack' || status === 'error') this.#exchanges.delete(id);
    return true;
  }

  /** Whether the frame is a message that somebody else sent. */
  #isOfOthers(frame: AnyFrame): boolean {
    const text = deliveredText[this.#options.dialect]?.(frame);
    if (text === undefined) return false;
    const index = this.#texts.indexOf(text);
    if (index === -1) return true;
    this.#texts.splice(index, 1);
    return false;
  }

  /** The client's part in the integrity handshake. */
  #play({ action, data }: AnyFrame, text: string): void {
    const transaction_id: unknown = data?.transaction_id;
    const { random } = this.#options;
    if (this.#options.dialect !== 'login') return;
    if (action === 'character_count') {
      this.#exchanges.set(String(transaction_id), 'counted');
      if (!this.isHonest && random.isTrue(0.06)) return;
      const confirm = this.isHonest || random.isTrue(0.9);
      this.#step('confirm_count', {
        transaction_id,
        confirm: this.isHonest || random.isTrue(0.97) ? confirm : 1,
      });
    } else if (action === 'receive_message' || action === 'receive_file') {
      // Those who never asked for the handshake may answer too, but each such answer has history read.
      if (!random.isTrue(this.#answersDeliveries)) return;
      const counted = this.isHonest || random.isTrue(0.8) ? text : `${text} `;
      this.#step('character_count', { transaction_id, letter_frequencies: letterFrequencies(counted) });
    } else if (action === 'confirm_count' && data.confirm === true) {
      if (this.isHonest || random.isTrue(0.8)) this.#step('ack', { transaction_id });
    }
  }

  /** Which share of what is delivered is answered. */
  get #answersDeliveries(): number {
    if (!this.#options.isUnderHandshake) return 0.02;
    return this.isHonest ? 1 : 0.8;
  }

  #step(action: string, data: object): void {
    this.send(JSON.stringify({ action, data }));
  }

  #wrong(problem: string): void {
    this.problem ??= problem;
  }
}

/** Whether two problems are the same, but for numbers. */
export function isSameProblem(one: string | undefined, other: string | undefined): boolean {
  const words = (problem: string | undefined) => problem?.replaceAll(/\d+/g, '0').split(/,? /);
  return isDeepStrictEqual(words(one), words(other));
}
