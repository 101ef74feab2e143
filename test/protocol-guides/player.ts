import { letterFrequencies } from '@parley/protocol';
import { until, WireClient } from '@parley/test-kit';
import { Bindings } from './bindings.ts';
import type { Step } from './script.ts';

/** What came at a step, and what the guide says that comes, in the server's own ids. */
export interface Played {
  expected: unknown;
  actual: unknown;
}

/** A frame of any dialect. */
export interface AnyFrame {
  action: string;
  // Each dialect has its own fields.
  [field: string]: any;
}

/** A client of a guide. */
interface Speaker {
  client: WireClient<AnyFrame>;
  /** The frames that it got and the guide has not shown yet, as they came. */
  unread: string[];
  /** The frames that it sent and the server has not counted yet, as they were sent. */
  uncounted: string[];
}

/** Comes whenever the list changes: only what the guide shows is waited for. */
const unpredictable = 'roomsList';

/** Plays a guide's steps against a running server: sends what it sends, and gets what comes. */
export class Player implements Disposable {
  readonly #url: string;
  readonly #bindings = new Bindings();
  readonly #speakers = new Map<string, Speaker>();
  readonly #answers = new Map<string, Response>();
  /** What was delivered, as it came, by its `transaction_id` there. */
  readonly #delivered = new Map<string, string>();

  /** @param url As `http://127.0.0.1:20200`. */
  constructor(url: string) {
    this.#url = url;
  }

  /** @returns What came, where the guide says that something comes. */
  async play(step: Step): Promise<Played | undefined> {
    const { who, kind, text } = step;
    switch (kind) {
      case 'opens':
        return this.#open(who, this.#bindings.resolve(text));
      case 'sends':
        this.#send(who, this.#bindings.resolve(text));
        return undefined;
      case 'gets':
        return this.#get(step);
      case 'asks':
        return this.#ask(who, this.#bindings.resolve(text));
      case 'is answered':
        return this.#answer(who, text);
      case 'closes':
        await this.#speaker(who).client.close();
        return undefined;
      case 'is closed':
        return { expected: Number(text), actual: await this.#speaker(who).client.closed };
    }
  }

  /** The frames that came and that the guide does not show. */
  get unread(): string[] {
    const frames = [...this.#speakers.values()].flatMap(({ unread }) => unread);
    return frames.filter((text) => frameOf(text).action !== unpredictable);
  }

  async #open(who: string, address: string): Promise<undefined> {
    const [url, authorization] = address.split(' Authorization: ');
    const { pathname, search } = new URL(url!);
    const headers = authorization === undefined ? {} : { authorization };
    const client = new WireClient<AnyFrame>(`${this.#url.replace('http', 'ws')}${pathname}${search}`, {
      headers,
    });
    const speaker: Speaker = { client, unread: [], uncounted: [] };
    client.name = who;
    client.socket.on('message', (data: Buffer) => speaker.unread.push(data.toString()));
    this.#speakers.set(who, speaker);
    await client.opened();
  }

  #send(who: string, text: string): void {
    const { client, uncounted } = this.#speaker(who);
    const { action, data = {} } = frameOf(text);
    if (action !== 'character_count') {
      client.send(text);
      uncounted.push(text);
      return;
    }
    // The guide counts the frame that it shows, we the one that came, which has other ids.
    const letter_frequencies = letterFrequencies(this.#delivered.get(data.transaction_id) ?? '');
    client.send({ action, data: { ...data, letter_frequencies } });
  }

  async #get({ who, text, line }: Step): Promise<Played> {
    const { unread, uncounted } = this.#speaker(who);
    const told = frameOf(text);
    let came = '';
    await until(`line ${line}, ${text}`, () => {
      came = unread.shift() ?? '';
      if (came === '') return false;
      return frameOf(came).action !== unpredictable || isSame(told, frameOf(came));
    });
    const actual = frameOf(came);
    this.#bindings.learn(withoutCounts(told), withoutCounts(actual));
    const expected = frameOf(this.#bindings.resolve(text));
    if (told.action.startsWith('receive_')) this.#delivered.set(actual['data'].transaction_id, came);
    if (told.action === 'character_count') {
      const counted = uncounted.findIndex((sent) => frameOf(sent).action === told['data'].original_action);
      const [sent = ''] = uncounted.splice(counted, 1);
      expected['data'].letter_frequencies = letterFrequencies(sent);
    }
    return { expected, actual };
  }

  async #ask(who: string, request: string): Promise<undefined> {
    const [, method, path, , authorization, body] =
      /^(\w+) (\S+)( Authorization: (Bearer \S+))?(?: (\{.*\}))?$/.exec(request) ?? [];
    const response = await fetch(`${this.#url}${path!}`, {
      method: method!,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
    });
    this.#answers.set(who, response);
  }

  async #answer(who: string, told: string): Promise<Played> {
    const response = this.#answers.get(who)!;
    const actual = `${response.status} ${await response.text()}`;
    this.#bindings.learn(told, actual);
    return { expected: this.#bindings.resolve(told), actual };
  }

  #speaker(who: string): Speaker {
    const speaker = this.#speakers.get(who);
    if (!speaker) throw new Error(`${who} has no connection yet`);
    return speaker;
  }

  [Symbol.dispose](): void {
    for (const { client } of this.#speakers.values()) client[Symbol.dispose]();
  }
}

/** The frame in a text; of what is none an `action` that there is not. */
export function frameOf(text: string): AnyFrame {
  try {
    return JSON.parse(text) as AnyFrame;
  } catch {
    return { action: '' };
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The text of a frame but for its counts, which differ with the ids that are counted. */
function withoutCounts(frame: AnyFrame): string {
  return JSON.stringify(frame, (key, value: unknown) => (key === 'letter_frequencies' ? {} : value));
}
