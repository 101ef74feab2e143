import { Type } from '@parley/schema';
import type { TObject } from '@parley/schema';
import { closeCodes } from '../close-codes.ts';
import type { RequestRow } from '../dialects/request-rows.ts';
import { errorCodes } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { version } from '../version.ts';
import type { DialectDescription, FrameDescription, RequestDescription } from './description.ts';
import { exampleOf, toldSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

interface Ref {
  $ref: string;
}

interface Tag {
  name: string;
}

/** One kind of frame, of clients (`client.ACTION`) or of the server (`server.ACTION`). */
export interface AsyncApiMessage {
  name: string;
  title: string;
  summary: string;
  contentType: 'application/json';
  tags?: Tag[];
  correlationId?: { location: string };
  payload: JsonSchema;
  examples: { payload: unknown }[];
}

/** What the server does with a kind of frame: it receives requests and may reply, and sends notifications. */
export interface AsyncApiOperation {
  action: 'receive' | 'send';
  channel: Ref;
  summary: string;
  tags?: Tag[];
  messages: Ref[];
  reply?: { channel: Ref; messages: Ref[] };
  /** The codes of its own errors, beside those that any request may meet. */
  'x-errors'?: readonly ErrorCode[];
}

/** An AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0), as far as we use it. */
export interface AsyncApi {
  asyncapi: '3.0.0';
  info: { title: string; version: string; description: string; license: { name: string; url: string } };
  defaultContentType: 'application/json';
  servers: Record<string, { host: string; protocol: string; description: string }>;
  channels: {
    connection: {
      address: string;
      description: string;
      bindings?: object;
      messages: Record<string, Ref>;
    };
  };
  operations: Record<string, AsyncApiOperation>;
  components: { messages: Record<string, AsyncApiMessage> };
  'x-close-codes': typeof closeCodes;
  'x-error-codes': typeof errorCodes;
  /** The codes that any request may meet. */
  'x-common-errors': readonly ErrorCode[];
}

/** What any request may meet, beside the errors of its own. */
export const commonErrors: readonly ErrorCode[] = [
  'invalid_json',
  'missing_field',
  'invalid_field',
  'not_authenticated',
  'forbidden',
  'unknown_action',
  'rate_limited',
  'internal',
  'unavailable',
];

const channel: Ref = { $ref: '#/channels/connection' };
const extension: Tag = { name: 'extension' };

/** The document of a dialect, made of the schemas that its requests are checked with. */
export function asyncApiOf(description: DialectDescription): AsyncApi {
  const messages = messagesOf(description);
  return {
    asyncapi: '3.0.0',
    info: {
      title: description.title,
      version,
      description: description.description,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: { host: 'localhost:20200', protocol: 'ws', description: 'As `npm start` starts it.' },
      public: { host: 'chat.example.org', protocol: 'wss', description: 'Behind a proxy that ends TLS.' },
    },
    channels: {
      connection: {
        address: description.address,
        description:
          'One WebSocket connection: text frames, one JSON object each, at most 1 MiB; ' +
          'the first known action fixes the dialect. Upgrades are accepted on `/`, `/ws` and `/chat`.',
        ...(description.bindings && { bindings: description.bindings }),
        messages: Object.fromEntries(
          Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
      },
    },
    operations: { ...requestOperations(description), ...notificationOperations(description) },
    components: { messages },
    'x-close-codes': closeCodes,
    'x-error-codes': errorCodes,
    'x-common-errors': commonErrors,
  };
}

function messagesOf(description: DialectDescription): Record<string, AsyncApiMessage> {
  const { requests, requestDescriptions, frames } = description;
  const untold = Object.keys(requests).filter((action) => !Object.hasOwn(requestDescriptions, action));
  if (untold.length > 0)
    throw new Error(`Nothing is said of ${untold.join(', ')} in description.ts of ${description.title}.`);
  const ofClients = Object.entries(requestDescriptions).map(([action, told]) => {
    const row = requests[action];
    if (!row) throw new Error(`There is no request ${action}.`);
    const schema = requestSchema(description, action, row);
    // Its body is shown even where nothing is needed in it.
    const shown = [description.bodyField ?? '', ...(told.shown ?? [])];
    return [clientKey(action), messageOf(description, action, { ...told, shown }, schema)];
  });
  const ofServer = Object.entries(frames).map(([action, told]) => [
    serverKey(action),
    messageOf(description, action, told, told.schema),
  ]);
  return Object.fromEntries([...ofClients, ...ofServer]) as Record<string, AsyncApiMessage>;
}

/** The whole frame of a request; its body may be left out where it needs no field. */
function requestSchema({ bodyField }: DialectDescription, action: string, row: RequestRow<unknown>): TObject {
  const head = { action: Type.Literal(action) };
  if (bodyField === undefined) return Type.Object({ ...head, ...row.schema.properties });
  const isNeeded = ((row.schema.required as readonly string[] | undefined) ?? []).length > 0;
  return Type.Object({ ...head, [bodyField]: isNeeded ? row.schema : Type.Optional(row.schema) });
}

function messageOf(
  { words, bodyField, correlationField }: DialectDescription,
  action: string,
  { summary, isExtension = false, extensions = [], shown = [] }: RequestDescription | FrameDescription,
  schema: TObject,
): AsyncApiMessage {
  const payload = toldSchema(schema, action, { words, bodyField, extensions });
  const body = bodyField === undefined ? payload : payload.properties?.[bodyField];
  const isCorrelated = correlationField !== undefined && body?.required?.includes(correlationField);
  const example = exampleOf(payload, shown);
  return {
    name: action,
    title: action,
    summary,
    contentType: 'application/json',
    ...(isExtension && { tags: [extension] }),
    ...(isCorrelated && {
      correlationId: {
        location: `$message.payload#/${[bodyField, correlationField].filter(Boolean).join('/')}`,
      },
    }),
    payload,
    examples: [{ payload: example }],
  };
}

function requestOperations(description: DialectDescription): Record<string, AsyncApiOperation> {
  const { requests, requestDescriptions } = description;
  const operations = Object.entries(requestDescriptions).map(
    ([action, { summary, isExtension, replies }]) => {
      const operation: AsyncApiOperation = {
        action: 'receive',
        channel,
        summary,
        ...(isExtension && { tags: [extension] }),
        messages: [refTo(clientKey(action))],
        reply: { channel, messages: [...replies, 'error'].map((reply) => refTo(serverKey(reply))) },
        'x-errors': requests[action]!.method.errors,
      };
      return [action, operation];
    },
  );
  return Object.fromEntries(operations) as Record<string, AsyncApiOperation>;
}

function notificationOperations({
  frames,
  notifications,
}: DialectDescription): Record<string, AsyncApiOperation> {
  const operations = notifications.map((action) => {
    const { summary, isExtension } = frames[action]!;
    const operation: AsyncApiOperation = {
      action: 'send',
      channel,
      summary,
      ...(isExtension && { tags: [extension] }),
      messages: [refTo(serverKey(action))],
    };
    return [`notify.${action}`, operation];
  });
  return Object.fromEntries(operations) as Record<string, AsyncApiOperation>;
}

function clientKey(action: string): string {
  return `client.${action}`;
}

function serverKey(action: string): string {
  return `server.${action}`;
}

/** Operations refer to the messages of their channel, not to the components behind (AsyncAPI 3.0, "Operation Object"). */
function refTo(key: string): Ref {
  return { $ref: `#/channels/connection/messages/${key}` };
}
