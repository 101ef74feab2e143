import type { GatewayId, Method, ReplyOf, RequestOf } from '@parley/protocol';
import { isErrorCode, ParleyError, subjects, validated } from '@parley/protocol';
import { RequestError, TimeoutError } from '@nats-io/nats-core';
import type { Msg } from '@nats-io/nats-core';
import { ServiceError, Svcm } from '@nats-io/services';
import type { ServiceMsg } from '@nats-io/services';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { contextInHand, fromHeaders, toHeaders, withContext } from './context.ts';
import type { RequestContext } from './context.ts';
import type { Log } from './log.ts';
import { callSeconds, serveSeconds } from './metrics.ts';

/** A method and what answers it. */
export interface Endpoint {
  readonly method: Method;
  readonly answer: (request: unknown, context: RequestContext) => Promise<unknown>;
}

export function endpoint<M extends Method>(
  method: M,
  answer: (request: RequestOf<M>, context: RequestContext) => Promise<ReplyOf<M>>,
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
    const stop = callSeconds.startTimer({ method: method.name });
    try {
      const subject = gatewayId ? subjects.gatewayMethod(method, gatewayId) : subjects.method(method);
      const reply = await this.#request(subject, JSON.stringify(request), context);
      if (ServiceError.isServiceError(reply)) throw errorFrom(reply);
      stop({ outcome: 'ok' });
      return reply.json<ReplyOf<M>>();
    } catch (thrown) {
      const error = ParleyError.from(thrown);
      stop({ outcome: error.code });
      throw error;
    }
  }

  async #request(subject: string, payload: string, context: RequestContext): Promise<Msg> {
    const timeout = context.deadline - Date.now();
    if (timeout <= 0 || !this.#connected) throw new ParleyError('unavailable');
    try {
      return await this.#nats.request(subject, payload, { timeout, headers: toHeaders(context) });
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
   * Answers methods until the returned handle is closed, which first finishes what is in hand.
   * @param gatewayId For methods of the gateway: answers under this instance's own subjects.
   */
  async serve(
    service: string,
    endpoints: readonly Endpoint[],
    gatewayId?: GatewayId,
  ): Promise<AsyncDisposable> {
    const micro = await new Svcm(this.#nats).add({ name: service, version: serviceVersion, queue: service });
    const inHand = new Set<Promise<void>>();
    for (const { method, answer } of endpoints) {
      micro.addEndpoint(method.endpoint, {
        subject: gatewayId ? subjects.gatewayMethod(method, gatewayId) : subjects.method(method),
        queue: service,
        handler: (_error, message) => {
          const answered = this.#answer(method, answer, message).finally(() => inHand.delete(answered));
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

  /** The one place where what a service throws becomes an error on the bus. Never rejects. */
  async #answer(method: Method, answer: Endpoint['answer'], message: ServiceMsg): Promise<void> {
    const stop = serveSeconds.startTimer({ method: method.name });
    let requestId: string | undefined;
    try {
      const context = fromHeaders(message.headers, this.#options.requestTimeoutMs);
      requestId = context.requestId;
      if (context.deadline <= Date.now()) throw new ParleyError('unavailable');
      const request = validated(method.request, parsed(message));
      const reply = await withContext(context, () => answer(request, context));
      message.respond(JSON.stringify(reply));
      stop({ outcome: 'ok' });
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
    }
  }

  /** Tells whoever listens. Events wait in memory while the connection is away. */
  publish(subject: string, event: object): void {
    if (this.#nats.isClosed()) return;
    this.#nats.publish(subject, JSON.stringify(event));
  }

  /** Hears events, in the order of each publisher. The handler must not throw. */
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

function parsed(message: Msg): unknown {
  try {
    return message.json();
  } catch (cause) {
    throw new ParleyError('invalid_json', {}, { cause });
  }
}

function errorFrom(reply: Msg): ParleyError {
  const { code, message, details } = reply.json<{ code: unknown; message: string; details: object }>();
  return new ParleyError(isErrorCode(code) ? code : 'internal', details, { message });
}
