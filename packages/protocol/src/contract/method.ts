import type { Static, TSchema } from '@parley/schema';
import type { ErrorCode } from '../errors.ts';

/** The services that answer on the bus. The gateway answers too: each instance under its own subject. */
export type ServiceName = 'auth' | 'rooms' | 'messages' | 'files' | 'gateway';

/**
 * One thing that can be asked for: contract, type and compiled check in one. What a client may ask for is a method
 * too, so a request decoded by a dialect is passed on as it is.
 */
export interface Method<Request extends TSchema = TSchema, Reply extends TSchema = TSchema> {
  /** `<service>.<name>`, e.g. `rooms.rename`. */
  readonly name: string;
  readonly service: ServiceName;
  readonly endpoint: string;
  readonly request: Request;
  readonly reply: Reply;
  /** The errors of its own that it may answer with; beside them any may answer `unavailable` and `internal`. */
  readonly errors: readonly ErrorCode[];
  /**
   * Only of a method that must not be asked for again by anybody but its caller, because a request that is done twice is two: most
   * bytes of JSON that the reply to a request has. Calls that share a message do so as far as their replies are sure to fit one.
   */
  maxReplyBytes?(request: Static<Request>): number;
}

export type RequestOf<M extends Method> = Static<M['request']>;
export type ReplyOf<M extends Method> = Static<M['reply']>;

export function method<Request extends TSchema, Reply extends TSchema>(
  name: `${ServiceName}.${string}`,
  definition: {
    request: Request;
    reply: Reply;
    errors?: readonly ErrorCode[];
    maxReplyBytes?(request: Static<Request>): number;
  },
): Method<Request, Reply> {
  const [service, endpoint] = name.split('.') as [ServiceName, string];
  return { name, service, endpoint, errors: [], ...definition };
}
