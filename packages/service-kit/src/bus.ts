import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorCode, GatewayId, Method, ReplyOf, RequestOf } from '@parley/protocol';
import { ParleyError, subjects, validated } from '@parley/protocol';
import { RequestError, TimeoutError } from '@nats-io/nats-core';
import type { Msg } from '@nats-io/nats-core';
import { ServiceError, Svcm } from '@nats-io/services';
import type { ServiceMsg } from '@nats-io/services';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { connectionOptions } from './bus-access.ts';
import type { BusAccess } from './bus-access.ts';
import { contextInHand, fromHeaders, logIds, toHeaders, withContext } from './context.ts';
import type { RequestContext } from './context.ts';
import { EndpointCounts } from './endpoint-counts.ts';
import { Gatherer } from './gatherer.ts';
import type { Log } from './log.ts';
import {
  busConnected,
  busReconnects,
  callSeconds,
  callsTogether,
  callsWaiting,
  requestsInHand,
  serveSeconds,
} from './metrics.ts';
import { connect } from './nats-transport.ts';
import { noBytes, packed, unpacked } from './payload.ts';
import type { Payload } from './payload.ts';
import {
  joinAnswers,
  maxSharedCalls,
  packedTogether,
  SharedCalls,
  sharedCallsHeader,
} from './shared-calls.ts';
import type { SharedAnswer, SharedCall, SharedCallsPart } from './shared-calls.ts';
import { errorTold, toldError } from './told-error.ts';
import type { ToldError } from './told-error.ts';
import { contextWithin, ending, startAnswer, startCall, withSpans } from './tracing.ts';
import type { Span } from './tracing.ts';

/** A reply, and the bytes that go along with it as they are, outside of its JSON. */
export interface ReplyWithBytes<Reply> {
  reply: Reply;
  bytes: Uint8Array;
}

/** A method and what answers it. */
export interface Endpoint {
  readonly method: Method;
  readonly answer: (
    request: unknown,
    context: RequestContext,
    bytes: Uint8Array,
  ) => Promise<ReplyWithBytes<unknown>>;
}

/** An endpoint with its counts. */
type Served = Endpoint & { counts: EndpointCounts };

export function endpoint<M extends Method>(
  method: M,
  answer: (request: RequestOf<M>, context: RequestContext) => Promise<ReplyOf<M>>,
): Endpoint {
  return endpointWithBytes(method, async (request, context) => ({
    reply: await answer(request, context),
    bytes: noBytes,
  }));
}

/** An endpoint whose requests or replies carry bytes; where a request brought none they are empty. */
export function endpointWithBytes<M extends Method>(
  method: M,
  answer: (
    request: RequestOf<M>,
    context: RequestContext,
    bytes: Uint8Array,
  ) => Promise<ReplyWithBytes<ReplyOf<M>>>,
): Endpoint {
  return { method, answer: answer as Endpoint['answer'] };
}

export interface BusSubscription {
  unsubscribe(): void;
}

export interface BusOptions extends BusAccess {
  /** The process's name in the server's lists, and the token below which it hears replies: `_INBOX.<name>.>`. */
  name: string;
  log: Log;
  /** Bounds requests that bring no deadline. */
  requestTimeoutMs: number;
}

/** The version our micro services announce to NATS tools. */
const serviceVersion = '0.1.0';

/** Typed requests and events over NATS. Reconnects for ever; while it is away, requests fail at once. */
export class Bus implements AsyncDisposable {
  readonly #nats: NatsConnection;
  readonly #options: BusOptions;
  readonly #reconnectListeners = new Set<() => void>();
  readonly #gatherers = new Map<Method, Gatherer<SharedCall, unknown>>();
  /** Messages whose requests are not answered yet. */
  readonly #inHand = new Set<Promise<void>>();
  readonly #watched = new DisposableStack();
  #connected = true;
  #closing: Promise<void> | undefined;

  constructor(nats: NatsConnection, options: BusOptions) {
    this.#nats = nats;
    this.#options = options;
    this.#watched.use(busConnected.from(() => (this.#connected ? 1 : 0)));
    this.#watched.use(requestsInHand.from(() => this.#inHand.size));
    this.#watched.use(callsWaiting.from(() => this.#countWaiting()));
    void this.#watchConnection();
  }

  /**
   * Asks a service, and waits no longer than the context's deadline.
   * @param context By default that of the request being answered.
   * @param gatewayId For methods of the gateway: the one to ask.
   * @throws ParleyError the service's own error, or `unavailable`.
   */
  async call<M extends Method>(
    method: M,
    request: RequestOf<M>,
    context: RequestContext = contextInHand(this.#options.requestTimeoutMs),
    gatewayId?: GatewayId,
  ): Promise<ReplyOf<M>> {
    const subject = gatewayId ? subjects.gatewayMethod(method, gatewayId) : subjects.method(method);
    const span = startCall(method, context);
    const payload = packed(request, noBytes, toHeaders(contextWithin(span, context)));
    try {
      return (await ending(span, this.#ask(method, subject, payload, context))).reply;
    } catch (thrown) {
      throw this.#told(method, context, thrown);
    }
  }

  /**
   * As `call`, with bytes that travel as they are, outside of the JSON, both ways. Request and reply each have to fit the
   * server's largest payload (1 MiB) with theirs.
   * @param bytes Empty where the method's requests carry none; a reply without bytes brings empty ones.
   */
  async callWithBytes<M extends Method>(
    method: M,
    request: RequestOf<M>,
    bytes: Uint8Array,
    context: RequestContext = contextInHand(this.#options.requestTimeoutMs),
  ): Promise<ReplyWithBytes<ReplyOf<M>>> {
    const span = startCall(method, context);
    const payload = packed(request, bytes, toHeaders(contextWithin(span, context)));
    try {
      return await ending(span, this.#ask(method, subjects.method(method), payload, context));
    } catch (thrown) {
      throw this.#told(method, context, thrown);
    }
  }

  /**
   * As `call`, for what many ask at once and is answered quickly: calls of the method that are made in one turn of the event loop,
   * or while others are under way, go in one message, and are answered together when the last of them is. Alone it is a `call`.
   * Replies that are too much for one message are asked for again, but for methods that say how much theirs may be at most
   * (`maxReplyBytes`): of these, so many share a message that all replies fit.
   * @param maxWaitMs How long to wait for those under way; the same in all calls of the method. By default 20 ms.
   */
  async callTogether<M extends Method>(
    method: M,
    request: RequestOf<M>,
    context: RequestContext,
    maxWaitMs?: number,
  ): Promise<ReplyOf<M>> {
    let gatherer = this.#gatherers.get(method);
    if (!gatherer) {
      gatherer = new Gatherer(maxSharedCalls, (calls) => this.#askTogether(method, calls), maxWaitMs);
      this.#gatherers.set(method, gatherer);
    }
    const span = startCall(method, context);
    const call = { request, context: contextWithin(span, context) };
    try {
      return (await ending(span, gatherer.add(call))) as ReplyOf<M>;
    } catch (thrown) {
      throw this.#told(method, context, thrown);
    }
  }

  /** Leaves a line in the log of who asked, beside that of the service: a failure always, a refusal for who looks closely. */
  #told({ name: method }: Method, context: RequestContext, thrown: unknown): unknown {
    const { log } = this.#options;
    const { code } = ParleyError.from(thrown);
    if (code === 'internal') log.warn({ method, ...logIds(context) }, 'a service failed');
    else if (log.isLevelEnabled('debug')) {
      log.debug({ method, code, ...logIds(context) }, 'a service refused or was away');
    }
    return thrown;
  }

  #countWaiting(): number {
    let count = 0;
    for (const { waiting } of this.#gatherers.values()) count += waiting;
    return count;
  }

  async #askTogether(method: Method, calls: readonly SharedCall[]): Promise<unknown[]> {
    callsTogether.observe(calls.length);
    // Without load most are alone: they need no envelope.
    if (calls.length === 1) return [await this.#askAlone(method, calls[0]!)];
    const parts = packedTogether(method, calls);
    return (await Promise.all(parts.map((part) => this.#askPart(method, part)))).flat();
  }

  async #askAlone(method: Method, { request, context }: SharedCall): Promise<unknown> {
    try {
      const payload = packed(request, noBytes, toHeaders(context));
      return (await this.#ask(method, subjects.method(method), payload, context)).reply;
    } catch (thrown) {
      return ParleyError.from(thrown);
    }
  }

  async #askPart(method: Method, { calls, payload }: SharedCallsPart): Promise<unknown[]> {
    if (calls.length === 1) return [await this.#askAlone(method, calls[0]!)];
    const deadline = Math.max(...calls.map(({ context }) => context.deadline));
    try {
      const { reply } = await this.#ask(method, subjects.method(method), payload, { deadline });
      return await Promise.all(
        (reply as SharedAnswer[]).map((answer, index) => {
          if (answer.error) return errorTold(answer.error);
          if ('reply' in answer) return answer.reply;
          return method.maxReplyBytes ? replyLost(method) : this.#askAlone(method, calls[index]!);
        }),
      );
    } catch (thrown) {
      return calls.map(() => ParleyError.from(thrown));
    }
  }

  async #ask<M extends Method>(
    method: M,
    subject: string,
    payload: Payload,
    context: Pick<RequestContext, 'deadline'>,
  ): Promise<ReplyWithBytes<ReplyOf<M>>> {
    const stop = callSeconds.startTimer({ method: method.name });
    try {
      const message = await this.#request(subject, payload, context);
      if (ServiceError.isServiceError(message)) throw errorTold(message.json<ToldError>());
      stop({ outcome: 'ok' });
      const { value, bytes } = unpacked(message);
      return { reply: value as ReplyOf<M>, bytes };
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      stop({ outcome: error.code });
      throw error;
    }
  }

  async #request(
    subject: string,
    { data, headers }: Payload,
    { deadline }: Pick<RequestContext, 'deadline'>,
  ): Promise<Msg> {
    const timeout = deadline - Date.now();
    if (timeout <= 0 || !this.#connected) throw new ParleyError('unavailable');
    try {
      return await this.#nats.request(subject, data, { timeout, ...(headers && { headers }) });
    } catch (cause) {
      const away =
        cause instanceof TimeoutError ||
        cause instanceof RequestError ||
        this.#nats.isClosed() ||
        !this.#connected;
      throw new ParleyError(away ? 'unavailable' : 'internal', {}, { cause });
    }
  }

  /**
   * Answers methods until the returned handle is closed, which first finishes what is in hand. Of each it tells NATS tools
   * what became of its requests: `EndpointStats`, as `data` of its stats. See `discoverServices`.
   * @param gatewayId For methods of the gateway: answers under this instance's own subjects.
   */
  async serve(
    service: string,
    endpoints: readonly Endpoint[],
    gatewayId?: GatewayId,
  ): Promise<AsyncDisposable> {
    const subjectOf = (method: Method) =>
      gatewayId ? subjects.gatewayMethod(method, gatewayId) : subjects.method(method);
    const counts = new Map(endpoints.map(({ method }) => [subjectOf(method), new EndpointCounts()]));
    const micro = await new Svcm(this.#nats).add({
      name: service,
      version: serviceVersion,
      queue: service,
      metadata: gatewayId ? { gatewayId } : {},
      statsHandler: ({ subject }) => Promise.resolve(counts.get(subject)?.read()),
    });
    const inHand = new Set<Promise<void>>();
    for (const { method, answer } of endpoints) {
      const subject = subjectOf(method);
      const served = { method, answer, counts: counts.get(subject)! };
      micro.addEndpoint(method.endpoint, {
        subject,
        queue: service,
        handler: (_error, message) => {
          const isShared = message.headers?.has(sharedCallsHeader) ?? false;
          const answered = (
            isShared ? this.#answerTogether(served, message) : this.#answer(served, message)
          ).finally(() => {
            inHand.delete(answered);
            this.#inHand.delete(answered);
          });
          inHand.add(answered);
          this.#inHand.add(answered);
        },
      });
    }
    await this.#nats.flush();
    void micro.stopped.then((error) => {
      // A permission or protocol violation, never a lost connection: only a restart with better settings helps.
      if (error && !this.#closing) throw new Error('the bus endpoints were closed', { cause: error });
    });
    return {
      [Symbol.asyncDispose]: async () => {
        await micro.stop();
        await Promise.allSettled(inHand);
      },
    };
  }

  /** Never rejects. */
  async #answer(served: Served, message: ServiceMsg): Promise<void> {
    const error = await this.#carryOut(
      served,
      () => ({ context: fromHeaders(message.headers, this.#options.requestTimeoutMs), ...unpacked(message) }),
      ({ reply, bytes }) => {
        const { data, headers } = packed(reply, bytes);
        message.respond(data, headers && { headers });
      },
    );
    if (error) message.respondError(error.http, error.code, JSON.stringify(toldError(error)));
  }

  /** Never rejects. */
  async #answerTogether(served: Served, message: ServiceMsg): Promise<void> {
    try {
      const calls = validated(SharedCalls, unpacked(message).value);
      const answers = await Promise.all(
        calls.map(async ({ context, request }) => {
          const answer: SharedAnswer = {};
          const error = await this.#carryOut(
            served,
            () => ({ context: { caller: undefined, ...context }, value: request, bytes: noBytes }),
            ({ reply }) => {
              answer.reply = reply;
            },
          );
          if (error) answer.error = toldError(error);
          return answer;
        }),
      );
      message.respond(joinAnswers(answers));
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      message.respondError(error.http, error.code, JSON.stringify(toldError(error)));
    }
  }

  /** The one place where what a service throws becomes an error on the bus, which it answers with. Never rejects. */
  async #carryOut(
    { method, answer, counts }: Served,
    read: () => { context: RequestContext; value: unknown; bytes: Uint8Array },
    respond: (answered: ReplyWithBytes<unknown>) => void,
  ): Promise<ParleyError | undefined> {
    const counted = counts.begin();
    const stop = serveSeconds.startTimer({ method: method.name });
    let outcome: 'ok' | ErrorCode = 'ok';
    let span: Span | undefined;
    let asked: RequestContext | undefined;
    let failure: ParleyError | undefined;
    try {
      const { context, value, bytes } = read();
      asked = context;
      span = startAnswer(method, context);
      if (context.deadline <= Date.now()) throw new ParleyError('unavailable');
      const request = validated(method.request, value);
      const within = contextWithin(span, context);
      const answered = () => withContext(within, () => answer(request, within, bytes));
      respond(await (span ? withSpans([span], answered) : answered()));
    } catch (thrown) {
      failure = ParleyError.from(thrown);
      outcome = failure.code;
      if (failure.code === 'internal') {
        this.#options.log.error(
          { err: failure.cause, method: method.name, ...logIds(asked) },
          'request failed unexpectedly',
        );
      }
    }
    span?.end(failure);
    counted(outcome);
    stop({ outcome });
    return failure;
  }

  /** Tells whoever listens. Events wait in memory while the connection is away. */
  publish(subject: string, event: object): void {
    if (this.#nats.isClosed()) return;
    this.#nats.publish(subject, JSON.stringify(event));
  }

  /**
   * Hears events, in the order of each publisher. What is asked of a service afterwards goes the same way behind the subscription, so
   * that no event falls between its answer and what is heard. The handler must not throw.
   */
  subscribe(subject: string, hear: (event: unknown, subject: string) => void): BusSubscription {
    return this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) {
          this.#options.log.error({ err: error, subject }, 'subscription failed');
          return;
        }
        hear(message.json(), message.subject);
      },
    });
  }

  /** The connection itself, for JetStream. Requests and events go through the methods above. */
  get connection(): NatsConnection {
    return this.#nats;
  }

  /** Resolves when the server has seen everything sent so far, subscriptions included. @throws ParleyError `unavailable` */
  async flush(): Promise<void> {
    if (!this.#connected) throw new ParleyError('unavailable');
    try {
      await this.#nats.flush();
    } catch (cause) {
      throw new ParleyError('unavailable', {}, { cause });
    }
  }

  /** Calls back whenever the connection is there again; events may have been missed meanwhile. */
  onReconnect(listener: () => void): void {
    this.#reconnectListeners.add(listener);
  }

  async #watchConnection(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'disconnect') {
        this.#connected = false;
        this.#options.log.warn('bus connection lost');
      } else if (status.type === 'reconnect') {
        this.#connected = true;
        busReconnects.inc();
        this.#options.log.info('bus connection is back');
        for (const listener of this.#reconnectListeners) listener();
      } else if (status.type === 'error') {
        // Nobody waits for an event that the server does not let through: only this tells of it.
        this.#options.log.error({ err: status.error }, 'bus refused');
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#drain());
  }

  async #drain(): Promise<void> {
    this.#watched.dispose();
    if (this.#connected) await this.#nats.drain();
    else await this.#nats.close();
  }
}

/** It was done, and asked again it would be done twice: its caller decides. */
function replyLost({ name }: Method): ParleyError {
  return new ParleyError(
    'unavailable',
    {},
    { cause: new Error(`a reply of ${name} was more than it may be`) },
  );
}

/** Connects, waiting for the server if need be, also until it lets us in. */
export async function openBus(options: BusOptions): Promise<Bus> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return new Bus(await connect(natsOptions(options)), options);
    } catch (err) {
      options.log.warn({ err, attempt }, 'bus is not ready, waiting');
      await delay(Math.min(100 * attempt, 2_000) * (0.5 + Math.random() / 2));
    }
  }
}

function natsOptions(options: BusOptions): NodeConnectionOptions {
  return {
    ...connectionOptions(options),
    name: options.name,
    // Who may hear all replies would hear those to others.
    inboxPrefix: `_INBOX.${options.name}`,
    // A password may be changed in the server first.
    ignoreAuthErrorAbort: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 300,
    reconnectJitterTLS: 300,
    pingInterval: 5_000,
    maxPingOut: 2,
    // A stack trace for each request costs the gateway 5 to 10 % of its time.
    noAsyncTraces: true,
  };
}
