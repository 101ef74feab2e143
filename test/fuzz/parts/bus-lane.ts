import { createId, matches } from '@parley/protocol';
import type { Caller, Method } from '@parley/protocol';
import { createContext, toHeaders } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import type { CorpusEntry } from '../corpus.ts';
import { hostileValues, mutatedObject, mutatedText } from '../generation/hostile.ts';
import { Pool } from '../generation/pool.ts';
import { valuesOf } from '../generation/schema-values.ts';
import { requestTimeoutMs } from '../system.ts';
import { problemWith } from './ledger.ts';
import { patienceMs } from './part.ts';
import type { PartContext } from './part.ts';

type Connection = Bus['connection'];
type Message = Awaited<ReturnType<Connection['request']>>;

export interface BusEndpoint {
  method: Method;
  subject: string;
}

/** A request as it goes out. */
interface BusRequest {
  endpoint: BusEndpoint;
  payload: string;
  headers: Record<string, string>;
  /** It may be too late for it, by what it says itself. */
  mayBeLate: boolean;
}

/** What takes a password's hash, and the share of it that is left right. */
const dear: readonly string[] = ['register', 'logIn', 'openToken', 'addAccount', 'setPassword'];
const shareOfDear = 0.01;
/** What of answers is used in what is asked next: nothing that others use. */
const learnt = ['uploadId', 'sessionId', 'sessionKey', 'objectId'] as const;
const headerNames = { bytes: 'Parley-Bytes', caller: 'Parley-Caller', calls: 'Parley-Calls' };

/** One request after the other. */
export class BusLane {
  readonly #connection: Connection;
  readonly #context: PartContext;
  readonly #corpus: readonly CorpusEntry[];
  readonly #endpoints: readonly BusEndpoint[];
  readonly #callers: readonly Caller[];
  readonly #requests = new Map<Method, Pool<unknown>>();
  /** What the server does not let us ask. */
  readonly #refused = new Set<BusEndpoint>();

  /** @param callers On whose behalf it is asked. */
  constructor(
    connection: Connection,
    endpoints: readonly BusEndpoint[],
    callers: readonly Caller[],
    context: PartContext,
    corpus: readonly CorpusEntry[],
  ) {
    this.#connection = connection;
    this.#endpoints = endpoints;
    this.#callers = callers;
    this.#context = context;
    this.#corpus = corpus;
  }

  async run(): Promise<void> {
    const { budget, random } = this.#context;
    while (!budget.isOver) {
      const open = this.#endpoints.filter((endpoint) => !this.#refused.has(endpoint));
      budget.sent.bus += 1;
      await this.#ask(this.#request(random.pick(open)));
    }
  }

  #request(endpoint: BusEndpoint): BusRequest {
    const { random } = this.#context;
    const { method } = endpoint;
    const { payload, headers = {} } = this.#payload(method);
    const isDear = dear.includes(method.endpoint) && !random.isTrue(shareOfDear);
    const caller = random.pick(this.#callers);
    const said = random.isTrue(0.1) ? asStranger(mutatedObject(caller, random)) : caller;
    return {
      endpoint,
      payload: isDear ? payload.replaceAll(/"password":"[^"]*"/g, '"password":0') : payload,
      headers: {
        ...(random.isTrue(0.85) && { [headerNames.caller]: encodeURIComponent(JSON.stringify(said)) }),
        ...headers,
      },
      mayBeLate: Object.keys(headers).length > 0,
    };
  }

  #payload(method: Method): { payload: string; headers?: Record<string, string> } {
    const { random, vocabulary } = this.#context;
    let requests = this.#requests.get(method);
    requests ??= new Pool(valuesOf(method.request), random);
    this.#requests.set(method, requests);
    const right = vocabulary.filled(requests.draw(), random, 0.8);
    const way = random.next();
    if (way < 0.3) return this.#withBytes(JSON.stringify(right));
    if (way < 0.7) return { payload: JSON.stringify(mutatedObject(right as object, random)) };
    if (way < 0.8) return { payload: mutatedText(JSON.stringify(right), random) };
    if (way < 0.85) return { payload: JSON.stringify(random.pick(hostileValues)) };
    if (way < 0.9) return this.#shared(right);
    const { text, headers } = random.pick(this.#corpus);
    return { payload: text, ...(headers && { headers }) };
  }

  /** As a request that brings bytes along, of whatever length. */
  #withBytes(json: string): { payload: string; headers?: Record<string, string> } {
    const { random } = this.#context;
    if (!random.isTrue(0.1)) return { payload: json };
    const length = random.below(8);
    return { payload: json + 'b'.repeat(length), headers: { [headerNames.bytes]: String(length) } };
  }

  /** As calls that share a message. */
  #shared(request: unknown): { payload: string; headers: Record<string, string> } {
    const { random } = this.#context;
    const calls = Array.from({ length: 1 + random.below(4) }, () => {
      const call = { context: createContext(requestTimeoutMs), request };
      return random.isTrue(0.5) ? call : mutatedObject(call, random);
    });
    return { payload: JSON.stringify(calls), headers: { [headerNames.calls]: String(calls.length) } };
  }

  async #ask(request: BusRequest): Promise<void> {
    const { endpoint, payload, headers } = request;
    try {
      const answer = await this.#connection.request(endpoint.subject, payload, {
        timeout: patienceMs,
        headers: headersOf(headers),
      });
      this.#report(request, this.#problemIn(request, answer));
    } catch (error) {
      if (isRefusal(error)) this.#refused.add(endpoint);
      else this.#report(request, `no answer (${(error as Error).message})`);
    }
  }

  #problemIn({ endpoint: { method }, mayBeLate }: BusRequest, answer: Message): string | undefined {
    if (answer.headers?.get('Nats-Service-Error-Code')) {
      const { code, message, ...more } = answer.json<Record<string, unknown>>();
      const hidden = Object.keys(more).filter((key) => key !== 'details');
      if (hidden.length > 0) return `its error has ${hidden.join(', ')}`;
      if (code === 'unavailable' && mayBeLate) return undefined;
      return problemWith({ code, message, action: method.name });
    }
    const bytes = Number(answer.headers?.get(headerNames.bytes) ?? 0);
    const reply = JSON.parse(
      Buffer.from(answer.data.subarray(0, answer.data.length - bytes)).toString(),
    ) as unknown;
    if (Array.isArray(reply)) return reply.map(problemInShared).find((problem) => problem !== undefined);
    this.#learnFrom(reply as Record<string, unknown>);
    return matches(method.reply, reply) ? undefined : 'its reply is not what the contract says';
  }

  #learnFrom(reply: Record<string, unknown>): void {
    const { vocabulary, secrets } = this.#context;
    for (const name of learnt) {
      const value = reply[name];
      if (typeof value !== 'string') continue;
      vocabulary.learn(name === 'sessionKey' ? 'key' : name, value);
      if (name === 'sessionKey') secrets.add(value);
    }
  }

  #report({ endpoint, payload, headers }: BusRequest, problem: string | undefined): void {
    if (problem === undefined) return;
    const input = [`${endpoint.subject} ${JSON.stringify(headers)}`, payload];
    this.#context.findings.add({ part: 'bus', what: `${endpoint.method.name}: ${problem}`, input });
  }
}

/** What is wrong with one answer of several that share a message; where it was too late, nothing is. */
function problemInShared({ error }: { error?: { code: unknown; message: unknown } }): string | undefined {
  return error && error.code !== 'unavailable'
    ? problemWith({ ...error, action: 'a shared call' })
    : undefined;
}

/** A caller that is changed is nobody we know: a gateway vouches for whom it asks. */
function asStranger(caller: object): object {
  const { userId } = caller as { userId?: unknown };
  return typeof userId === 'string' ? { ...caller, userId: createId('user') } : caller;
}

function headersOf(values: Record<string, string>): ReturnType<typeof toHeaders> {
  const headers = toHeaders(createContext(requestTimeoutMs));
  for (const [name, value] of Object.entries(values)) headers.set(name, value);
  return headers;
}

/** Whether the server of the bus did not let the request through. */
function isRefusal(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: { name?: string } };
  return [name, cause?.name].includes('PermissionViolationError');
}
