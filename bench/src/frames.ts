/** The frames that a load is made of: made in advance, and read where they lie without parsing them. */
import { mask, textFrame } from './websocket.ts';

const sequenceDigits = 10;
const timeDigits = 16;
const marker = /^(\d+):(\d{10})\./;
const zero = 48;

/** Stands for a send's number in the text that a {@link SendFrames} is made of. */
export const sequencePlace = '#'.repeat(sequenceDigits);
const timePlace = '@'.repeat(timeDigits);

/** Shortest content that holds its mark, in bytes. */
export const minContentBytes = 40;

/**
 * A message's content: whose message it is, the how-manieth of theirs and when it was sent, padded with letters. The last two are
 * places that {@link SendFrames} fills.
 * @param contentBytes At least {@link minContentBytes}.
 */
export function contentOf(connection: number, contentBytes: number): string {
  return `${markOfSend(connection)}${timePlace}.`.padEnd(contentBytes, 'abcdefghijklmnopqrstuvwxyz ');
}

/** What is different in each message of the run: for ids that clients give to their messages. */
export function markOfSend(connection: number): string {
  return `${connection}:${sequencePlace}.`;
}

/** The frames that send one connection's messages: a template into which only numbers are written. */
export class SendFrames {
  readonly #template: Buffer;
  readonly #payloadStart: number;
  /** Where the digits of the number and of the time are, in bytes from the frame's start. */
  readonly #sequences: readonly number[];
  readonly #times: readonly number[];

  /** @param text Of the frame, with {@link contentOf} in it. */
  constructor(text: string) {
    const { bytes, payloadStart } = textFrame(text);
    this.#template = bytes;
    this.#payloadStart = payloadStart;
    const placesOf = (place: string): number[] =>
      Array.from(text.matchAll(new RegExp(place, 'g')), ({ index }) => payloadStart + index);
    this.#sequences = placesOf(sequencePlace);
    this.#times = placesOf(timePlace);
  }

  /**
   * So many frames one behind the other, the first with the sequence number `first`, from 0.
   * @param at When they are sent, in microseconds.
   */
  take(first: number, count: number, at: number): Buffer {
    const { length } = this.#template;
    const frames = Buffer.allocUnsafe(count * length);
    for (let index = 0; index < count; index += 1) {
      const start = index * length;
      this.#template.copy(frames, start);
      for (const place of this.#sequences) this.#write(frames, start, place, sequenceDigits, first + index);
      for (const place of this.#times) this.#write(frames, start, place, timeDigits, at);
    }
    return frames;
  }

  #write(frames: Buffer, start: number, place: number, digits: number, value: number): void {
    let rest = value;
    for (let digit = place + digits - 1; digit >= place; digit -= 1) {
      const tens = Math.floor(rest / 10);
      frames[start + digit] = (zero + rest - tens * 10) ^ mask[(digit - this.#payloadStart) & 3]!;
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

/** What a content tells; filled by {@link readMark}, as one object serves all messages. */
export interface Mark {
  connection: number;
  sequence: number;
  /** In microseconds of the machine's clock. */
  sentAt: number;
}

/** Reads the mark of the content that begins at `position`, which has to be one of ours. */
export function readMark(bytes: Buffer, position: number, mark: Mark): void {
  let at = position;
  let connection = 0;
  for (let digit = bytes[at]! - zero; digit >= 0 && digit <= 9; digit = bytes[at]! - zero) {
    connection = connection * 10 + digit;
    at += 1;
  }
  mark.connection = connection;
  mark.sequence = readDigits(bytes, at + 1, sequenceDigits);
  mark.sentAt = readDigits(bytes, at + 2 + sequenceDigits, timeDigits);
}

function readDigits(bytes: Buffer, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) value = value * 10 + bytes[at]! - zero;
  return value;
}

/** The whole number that begins at `position`; 0 where there is none. */
export function numberAt(bytes: Buffer, position: number, end: number): number {
  let value = 0;
  for (let at = position; at < end; at += 1) {
    const digit = bytes[at]! - zero;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

/** The last whole number before `end`, behind which only brackets stand: where messages have their id as their last field. */
export function lastNumber(bytes: Buffer, from: number, end: number): number {
  let at = end - 1;
  while (at > from && !isDigit(bytes[at]!)) at -= 1;
  let value = 0;
  for (let scale = 1; at > from && isDigit(bytes[at]!); at -= 1, scale *= 10)
    value += (bytes[at]! - zero) * scale;
  return value;
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= zero + 9;
}

/** Whether the bytes there begin with the prefix; compared from behind, as frames begin alike. */
export function beginsWith(bytes: Buffer, from: number, end: number, prefix: Buffer): boolean {
  if (end - from < prefix.length) return false;
  for (let index = prefix.length - 1; index >= 0; index -= 1) {
    if (bytes[from + index] !== prefix[index]) return false;
  }
  return true;
}
