import type { TObject } from '@parley/schema';
import type { Dialect } from '../dialects/dialect.ts';
import type { RequestTable } from '../dialects/request-rows.ts';
import type { JsonSchema } from './json-schema.ts';

/** What readers are told of a field. */
export interface FieldWords {
  description: string;
  /** A value that it may have; without it one is made of the field's schema. */
  example?: unknown;
  /** What JSON Schema can say of it where our own check is code. */
  schema?: JsonSchema;
}

/** The fields of a dialect by their names, or as `parent.name` where one name means several things. */
export type Words = Readonly<Record<string, FieldWords>>;

interface MessageDescription {
  /** One sentence. */
  summary: string;
  /** Whether the whole message goes beyond the original protocol. */
  isExtension?: boolean;
  /** The fields that do, where the message itself does not. */
  extensions?: readonly string[];
  /** The optional fields that its example has. */
  shown?: readonly string[];
}

/** A request of clients; its fields are those that it is checked with. */
export interface RequestDescription extends MessageDescription {
  /** The actions of the frames that may answer it, errors apart; none where nothing does. */
  replies: readonly string[];
}

/** A frame of the server. */
export interface FrameDescription extends MessageDescription {
  /** The whole frame, with its `action`. */
  schema: TObject;
}

/** A dialect for those who write its clients. */
export interface DialectDescription {
  dialect: Dialect;
  requests: RequestTable<object>;
  /** The field that holds the body of a request; undefined where the frame itself is the body. */
  bodyField: string | undefined;
  title: string;
  /** In Markdown. */
  description: string;
  /** Where its connections are opened, and what may come with the upgrade. */
  address: string;
  bindings?: object;
  words: Words;
  requestDescriptions: Readonly<Record<string, RequestDescription>>;
  frames: Readonly<Record<string, FrameDescription>>;
  /** The actions of the frames that come unasked. */
  notifications: readonly string[];
  /** The field by which the messages of one exchange know each other. */
  correlationField?: string;
}
