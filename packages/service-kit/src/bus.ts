import type { ErrorCode, GatewayId, Method, ReplyOf, RequestOf } from '@parley/protocol';
import { isErrorCode, ParleyError, subjects, validated } from '@parley/protocol';
import { RequestError, TimeoutError } from '@nats-io/nats-core';
import type { Msg } from '@nats-io/nats-core';
import { ServiceError, Svcm } from '@nats-io/services';
import type { ServiceMsg } from '@nats-io/services';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { contextInHand, fromHeaders, toHeaders, withContext } from './context.ts';
import type { RequestContext } from './context.ts';
import { EndpointCounts } from './endpoint-counts.ts';
import type { Log } from './log.ts';
import { callSeconds, serveSeconds } from './metrics.ts';
import { noBytes, packed, unpacked } from './payload.ts';
import type { Payload } from './payload.ts';

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

export interface BusOptions {
  /** Of a cluster several, separated by commas. */
  natsUrl: string;
  /** The process's name in the server's lists. */
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
  #connected = true;
  #closing: Promise<void> | undefined;

  constructor(nats: NatsConnection, options: BusOptions) {
    this.#nats = nats;
    this.#options = options;
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
    return (await this.#ask(method, subject, packed(request, noBytes, toHeaders(context)), context)).reply;
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
    return this.#ask(method, subjects.method(method), packed(request, bytes, toHeaders(context)), context);
  }

  async #ask<M extends Method>(
    method: M,
    subject: string,
    payload: Payload,
    context: RequestContext,
  ): Promise<ReplyWithBytes<ReplyOf<M>>> {
    const stop = callSeconds.startTimer({ method: method.name });
    try {
      const message = await this.#request(subject, payload, context);
      if (ServiceError.isServiceError(message)) throw errorFrom(message);
      stop({ outcome: 'ok' });
      const { value, bytes } = unpacked(message);
      return { reply: value as ReplyOf<M>, bytes };
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      stop({ outcome: error.code });
      throw error;
    }
  }

  async #request(subject: string, { data, headers }: Payload, context: RequestContext): Promise<Msg> {
    const timeout = context.deadline - Date.now();
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
      micro.addEndpoint(method.endpoint, {
        subject,
        queue: service,
        handler: (_error, message) => {
          const counted = counts.get(subject)!.begin();
          const answered = this.#answer(method, answer, message).then((outcome) => {
            counted(outcome);
            inHand.delete(answered);
          });
          inHand.add(answered);
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

  /** The one place where what a service throws becomes an error on the bus. Never rejects; tells what became of the request. */
  async #answer(method: Method, answer: Endpoint['answer'], message: ServiceMsg): Promise<'ok' | ErrorCode> {
    const stop = serveSeconds.startTimer({ method: method.name });
    let requestId: string | undefined;
    try {
      const context = fromHeaders(message.headers, this.#options.requestTimeoutMs);
      requestId = context.requestId;
      if (context.deadline <= Date.now()) throw new ParleyError('unavailable');
      const { value, bytes } = unpacked(message);
      const request = validated(method.request, value);
      const answered = await withContext(context, () => answer(request, context, bytes));
      const { data, headers } = packed(answered.reply, answered.bytes);
      message.respond(data, headers && { headers });
      stop({ outcome: 'ok' });
      return 'ok';
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      stop({ outcome: error.code });
      if (error.code === 'internal') {
        this.#options.log.error(
          { err: error.cause, method: method.name, requestId },
          'request failed unexpectedly',
        );
      }
      const { code, message: text, details } = error;
      message.respondError(error.http, code, JSON.stringify({ code, message: text, details }));
      return code;
    }
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
        this.#options.log.info('bus connection is back');
        for (const listener of this.#reconnectListeners) listener();
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#drain());
  }

  async #drain(): Promise<void> {
    if (this.#connected) await this.#nats.drain();
    else await this.#nats.close();
  }
}

/** Connects, waiting for the server if need be. */
export async function openBus(options: BusOptions): Promise<Bus> {
  const nats = await connect({
    servers: options.natsUrl.split(','),
    name: options.name,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 300,
    pingInterval: 5_000,
    maxPingOut: 2,
    // A stack trace for each request costs the gateway 5 to 10 % of its time.
    noAsyncTraces: true,
  });
  return new Bus(nats, options);
}

function errorFrom(reply: Msg): ParleyError {
  const { code, message, details } = reply.json<{ code: unknown; message: string; details: object }>();
  return new ParleyError(isErrorCode(code) ? code : 'internal', details, { message });
}
