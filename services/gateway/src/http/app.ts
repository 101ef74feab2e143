import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bus, Log, RequestContext } from '@parley/service-kit';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify';
import type { Static, TSchema } from '@parley/schema';
import type { MemoryBudget } from '../connection/memory-budget.ts';
import type { Rate } from '../connection/rate-limiter.ts';
import type { Downloads } from '../files/downloads.ts';
import type { Uploads } from '../files/uploads.ts';
import type { ClientRates } from './rate-limits.ts';

export interface HttpOptions {
  bus: Pick<Bus, 'call' | 'callTogether' | 'callWithBytes'>;
  uploads: Pick<Uploads, 'finish'>;
  downloads: Pick<Downloads, 'open' | 'read'>;
  log: Log;
  /** Longest wait for the services that a request needs, in ms. */
  requestTimeoutMs: number;
  /** The origins of pages that may use the API beside our own; `*`: all. */
  allowedOrigins: readonly string[];
  /** The folder of the built web client; empty: none is served. */
  webDir: string;
  /** Requests of one user. Undefined: no limits. */
  rates: Rate | undefined;
  /** What all clients may make us hold in memory. */
  budget: MemoryBudget;
  /** Requests of each address, upgrades included. */
  ratesByAddress: Pick<ClientRates, 'admit'>;
  /** Bytes of pages of history for each address, those over WebSockets included. */
  pagesByAddress: Pick<ClientRates, 'of'>;
  /** The client's address. */
  addressOf: (request: IncomingMessage) => string;
  /** Whether the client came by TLS, to us or to a proxy that may be believed. */
  isSecure: (request: IncomingMessage) => boolean;
}

/** What a request has in its parts is what their schemas say. */
interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** Fastify, with our schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** For what the request asks of services; its caller is there where the route wants a token. */
    busContext: RequestContext;
  }
}
