import { Type } from '@parley/schema';
import type { Static, TObject, TProperties } from '@parley/schema';
import type { Command } from '../command.ts';
import type { Method, ReplyOf, RequestOf } from '../contract/method.ts';
import { maxParticipants } from '../contract/rooms.ts';
import { ParleyError } from '../errors.ts';
import { normalizeName } from '../text.ts';
import { validated } from '../validation.ts';
import { isJsonObject } from './dialect.ts';
import type { JsonObject } from './dialect.ts';

/** One action of a dialect: how its body is read, and what answers it. */
export interface RequestRow<Reply> {
  readonly method: Method;
  /** What a body is checked with. */
  readonly schema: TObject;
  /** @throws ParleyError `missing_field` or `invalid_field`, naming the field. */
  decode(body: JsonObject, action: string): Command;
  encodeReply(command: Command, reply: unknown): Reply;
}

/** Every action of a dialect; its reply is undefined where nothing answers. */
export type RequestTable<Frame> = Readonly<Record<string, RequestRow<Frame | undefined>>>;

/** Who speaks and which room it is about, in the client's spelling, as far as the body says it by name. */
interface Subject {
  claimedName?: string | undefined;
  roomName?: string;
}

interface RowDefinition<M extends Method, Fields extends TProperties, S extends Subject, Reply> {
  /** The fields of the body beside those that all rows have; of one name these count. Unknown further ones are ignored. */
  fields: Fields;
  /** Where the room is named, its id is added later. */
  request: (
    fields: Static<TObject<Fields>>,
  ) => S extends { roomName: string } ? Omit<RequestOf<M>, 'roomId'> : RequestOf<M>;
  reply: (reply: ReplyOf<M>, command: Command<M>) => Reply;
}

/**
 * Makes the rows of a dialect.
 * @param shared The fields that all these rows have.
 * @param subjectOf What those fields say; names are normalized here.
 */
export function rowsWith<Shared extends TProperties, S extends Subject>(
  shared: Shared,
  subjectOf: (fields: Static<TObject<Shared>>) => S,
) {
  return <M extends Method, Fields extends TProperties, Reply>(
    method: M,
    { fields, request, reply: answer }: RowDefinition<M, Fields, S, Reply>,
  ): RequestRow<Reply> => {
    const schema = Type.Object({ ...shared, ...fields });
    return {
      method,
      schema,
      decode(body, action) {
        const read = validated(schema, withShortLists(body)) as Static<TObject<Fields>> &
          Static<TObject<Shared>>;
        const { claimedName, roomName } = subjectOf(read);
        return {
          method,
          request: request(read),
          action,
          claimedName: claimedName === undefined ? undefined : normalizeName(claimedName),
          ...(roomName === undefined ? {} : { roomName: normalizeName(roomName) }),
        };
      },
      encodeReply: (command, reply) => answer(reply as ReplyOf<M>, command as Command<M>),
    };
  };
}

/**
 * The body of a request frame; a request without fields may leave it out.
 * @param field Where the dialect has it; undefined where the frame itself is the body.
 * @throws ParleyError `invalid_field`.
 */
export function bodyOf(frame: JsonObject, field: string | undefined): JsonObject {
  if (field === undefined) return frame;
  const { [field]: body = {} } = frame;
  if (!isJsonObject(body)) {
    const message = `The field \`${field}\` is invalid: it must be an object.`;
    throw new ParleyError('invalid_field', { field }, { message });
  }
  return body;
}

/** Cuts lists just beyond the longest we take: what is wrong with a huge one is found without reading all of it. */
function withShortLists(fields: JsonObject): JsonObject {
  if (!Object.values(fields).some(isTooLong)) return fields;
  const short = Object.entries(fields).map(([key, value]) => [
    key,
    isTooLong(value) ? value.slice(0, maxParticipants + 1) : value,
  ]);
  return Object.fromEntries(short) as JsonObject;
}

function isTooLong(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > maxParticipants;
}
