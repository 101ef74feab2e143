/** The frames of the login dialect that a load is made of: made in advance, and told apart without parsing them. */
import { mask, textFrame } from './websocket.ts';

const sequenceDigits = 10;
const noSequence = '0'.repeat(sequenceDigits);
const marker = /^(\d+):(\d{10})\./;

/** Shortest content that holds its mark, in bytes. */
export const minContentBytes = 24;

/** The frames that send one connection's messages: a template into which only the sequence number is written. */
export class SendFrames {
  readonly #template: Buffer;
  /** Where the digits of the sequence number are, in bytes from the frame's start. */
  readonly #digits: readonly number[];
  readonly #payloadStart: number;

  /**
   * @param connection Goes into each content, with the sequence number; see {@link markOf}.
   * @param contentBytes Length of the content, at least {@link minContentBytes}.
   * @param withClientIds Whether each message has a `client_message_id`.
   */
  constructor(roomId: string, connection: number, contentBytes: number, withClientIds: boolean) {
    const mark = `${connection}:${noSequence}.`;
    const text = JSON.stringify({
      action: 'send_message',
      data: {
        room_id: roomId,
        content: mark.padEnd(contentBytes, 'abcdefghijklmnopqrstuvwxyz '),
        ...(withClientIds && { client_message_id: mark }),
      },
    });
    const { bytes, payloadStart } = textFrame(text);
    this.#template = bytes;
    this.#payloadStart = payloadStart;
    const marks = text.matchAll(new RegExp(`"${connection}:(?=${noSequence}\\.)`, 'g'));
    this.#digits = Array.from(marks, (match) => payloadStart + match.index + match[0].length);
  }

  /** So many frames one behind the other, the first with the sequence number `first`, from 0. */
  take(first: number, count: number): Buffer {
    const frames = Buffer.allocUnsafe(count * this.#template.length);
    for (let index = 0; index < count; index += 1) {
      const start = index * this.#template.length;
      this.#template.copy(frames, start);
      for (const digits of this.#digits) this.#number(frames, start, digits, first + index);
    }
    return frames;
  }

  #number(frames: Buffer, start: number, digits: number, sequence: number): void {
    let rest = sequence;
    for (let digit = digits + sequenceDigits - 1; rest > 0; digit -= 1) {
      const tens = Math.floor(rest / 10);
      frames[start + digit] = (48 + rest - tens * 10) ^ mask[(digit - this.#payloadStart) & 3]!;
      rest = tens;
    }
  }
}

/** Whose message the content is, and the how-manieth of theirs from 0; `undefined` where it is none of ours. */
export function markOf(content: string): { connection: number; sequence: number } | undefined {
  const [, connection, sequence] = marker.exec(content) ?? [];
  return connection === undefined
    ? undefined
    : { connection: Number(connection), sequence: Number(sequence) };
}

/** `confirmation`: of a send. `refusal`: an error that answers a send. `delivery`: somebody's message. */
export type FrameKind = 'confirmation' | 'refusal' | 'delivery' | 'other';

const start = '{"action":"';
const kinds = [
  ['confirmation', Buffer.from(`${start}ack"`)],
  ['delivery', Buffer.from(`${start}receive_message"`)],
  ['refusal', Buffer.from(`${start}error","original_action":"send_message"`)],
] as const;

/** What the server's frame is that lies there, by how it begins. */
export function kindOf(bytes: Buffer, from: number, end: number): FrameKind {
  for (const [kind, prefix] of kinds) if (beginsWith(bytes, from, end, prefix)) return kind;
  return 'other';
}

/** Compared from behind: all frames begin alike. */
function beginsWith(bytes: Buffer, from: number, end: number, prefix: Buffer): boolean {
  if (end - from < prefix.length) return false;
  for (let index = prefix.length - 1; index >= 0; index -= 1) {
    if (bytes[from + index] !== prefix[index]) return false;
  }
  return true;
}

const messageIdKey = Buffer.from('"message_id":');

/** The `message_id` in the confirmation that lies there; 0 where it has none. */
export function messageIdIn(bytes: Buffer, from: number, end: number): number {
  const key = bytes.indexOf(messageIdKey, from);
  if (key === -1 || key >= end) return 0;
  let id = 0;
  for (let position = key + messageIdKey.length; position < end; position += 1) {
    const digit = bytes[position]! - 48;
    if (digit < 0 || digit > 9) break;
    id = id * 10 + digit;
  }
  return id;
}
