import type { SeededRandom } from '../../faults/random.ts';

/** What things can be called by. */
export type Kind =
  | 'user'
  | 'password'
  | 'key'
  | 'roomId'
  | 'roomName'
  | 'fileName'
  | 'transaction'
  | 'userId'
  | 'connectionId'
  | 'gatewayId'
  | 'uploadId'
  | 'sessionId'
  | 'objectId'
  | 'small';

const mostOfAKind = 64;

/** The names of fields, in all dialects, over HTTP and on the bus, and what they hold. */
const kindOfField: Readonly<Record<string, Kind>> = {
  ...each('user', [
    'chatid',
    'chat_id',
    'username',
    'new_chatid',
    'newUsername',
    'user',
    'sender',
    'creator',
  ]),
  ...each('user', ['user_to_add', 'user_to_remove', 'participants', 'names', 'owner', 'from']),
  ...each('password', ['password']),
  ...each('key', ['session_key', 'sessionKey', 'token']),
  ...each('roomId', ['room_id', 'roomId', 'roomIds', 'id']),
  ...each('roomName', ['room', 'room_name', 'new_room_name', 'roomName', 'newName', 'name']),
  ...each('fileName', ['file_path', 'fileName']),
  ...each('transaction', ['transaction_id', 'transactionId']),
  ...each('userId', ['userId', 'userIds', 'senderId']),
  ...each('connectionId', ['connectionId', 'origin']),
  ...each('gatewayId', ['gatewayId']),
  ...each('uploadId', ['uploadId']),
  ...each('sessionId', ['sessionId']),
  ...each('objectId', ['objectId']),
  ...each('small', [
    'limit',
    'total_packets',
    'packets',
    'sequence_number',
    'sequence',
    'from_sequence',
    'file_size',
  ]),
  ...each('small', [
    'size',
    'sizes',
    'after_id',
    'before_id',
    'before',
    'after',
    'last_id',
    'lastId',
    'sequences',
    'length',
  ]),
};

function each(kind: Kind, fields: readonly string[]): Record<string, Kind> {
  return Object.fromEntries(fields.map((field) => [field, kind]));
}

/** What is really there in the system, as it becomes known: of each kind the latest. So that much of what is sent means something. */
export class Vocabulary {
  readonly #known = new Map<Kind, unknown[]>([['small', [0, 1, 2, 3]]]);
  #next = 0;

  /** @param common What all have in common: asked where nothing of the kind is known here. */
  readonly #common: Vocabulary | undefined;

  constructor(common?: Vocabulary) {
    this.#common = common;
  }

  learn(kind: Kind, value: unknown): void {
    const known = this.#known.get(kind) ?? [];
    this.#known.set(kind, known);
    if (known.includes(value)) return;
    if (known.length < mostOfAKind) known.push(value);
    else known[(this.#next += 1) % mostOfAKind] = value;
  }

  /** What is known of the kind, not counting what is common. */
  known(kind: Kind): readonly unknown[] {
    return this.#known.get(kind) ?? [];
  }

  /** Learns from an answer: what its fields hold, at any depth. */
  learnFrom(value: unknown, depth = 4): void {
    if (typeof value !== 'object' || value === null || depth === 0) return;
    for (const [field, inner] of Object.entries(value)) {
      const kind = Object.hasOwn(kindOfField, field) ? kindOfField[field] : undefined;
      if (typeof inner === 'string' && kind !== undefined && kind !== 'small') this.learn(kind, inner);
      else this.learnFrom(inner, depth - 1);
    }
  }

  /** Something real for the field; undefined where nothing is known. */
  for(field: string, random: SeededRandom): unknown {
    const kind = Object.hasOwn(kindOfField, field) ? kindOfField[field] : undefined;
    return kind && this.#pick(kind, random);
  }

  #pick(kind: Kind, random: SeededRandom): unknown {
    const known = this.#known.get(kind);
    if (known && !(this.#common && random.isTrue(0.2))) return random.pick(known);
    return this.#common ? this.#common.#pick(kind, random) : undefined;
  }

  /** The object with real things in place of some of its made up ones, at any depth. */
  filled<Value>(value: Value, random: SeededRandom, share: number): Value {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item: unknown) => this.filled(item, random, share)) as Value;
    const entries = Object.entries(value).map(([field, inner]: [string, unknown]) => {
      if (inner === undefined || !random.isTrue(share)) return [field, this.filled(inner, random, share)];
      if (Array.isArray(inner) && typeof inner[0] !== 'object') {
        return [field, inner.map((item: unknown) => this.for(field, random) ?? item)];
      }
      const real = typeof inner === 'object' ? undefined : this.for(field, random);
      return [field, real ?? this.filled(inner, random, share)];
    });
    return Object.fromEntries(entries) as Value;
  }
}
