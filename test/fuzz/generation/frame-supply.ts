import { dialects, isJsonObject } from '@parley/protocol';
import type { JsonObject } from '@parley/protocol';
import type { SeededRandom } from '../../faults/random.ts';
import { FrameSource } from './frame-source.ts';
import { mutatedObject, mutatedText } from './hostile.ts';
import { Vocabulary } from './vocabulary.ts';

/** Frames that others are made of, of all dialects. */
const kept = 3_000;
/** Of those whose fields are changed, in UTF-16 units: longer ones can be nested so deeply that they can't be written again. */
const longestObject = 4_096;
/** Where dialects have the body of a request. */
const bodyFields = ['data', 'payload'];
/** Most bytes of a frame, unless a setting says otherwise. */
const maxFrameBytes = 1_048_576;
const longestRepeated = 12;
/** What makes some work for whoever reads much of it: levels, fields, escapes, marks that have to be put in order. */
const heavy = ['[', '{"a":', '"a":1,', '"\\n":1,', '[],', '"x",', '\\n', '\u0315\u0300', ' '];

/** How a frame is made, and how many of ten thousand are. */
const ways = [
  ['fresh', 250],
  ['fields', 5_000],
  ['text', 3_400],
  ['crossed', 1_348],
  ['long', 2],
] as const;
type Way = (typeof ways)[number][0];
const wayOf: readonly Way[] = ways.flatMap(([way, of10000]) => Array.from({ length: of10000 }, () => way));

/**
 * Frames of all dialects, a hundred thousand a second: what {@link FrameSource} makes, and what becomes of that by changes that cost
 * little. A function of the generator that it is given.
 */
export class FrameSupply {
  readonly #random: SeededRandom;
  readonly #sources: readonly FrameSource[];
  readonly #texts: string[] = [];
  /** Of these, in other places, what is a JSON object. */
  readonly #objects: JsonObject[] = [];

  /** @param corpus Frames that are sent as they are, and changed. */
  constructor(random: SeededRandom, corpus: readonly string[]) {
    this.#random = random;
    this.#sources = dialects.map(
      ({ name }) => new FrameSource(name, random.fork(), new Vocabulary(), corpus),
    );
    for (let made = 0; made < kept; made += 1) this.#fresh();
  }

  next(): string {
    switch (this.#random.pick(wayOf)) {
      case 'fresh':
        return this.#fresh();
      case 'fields':
        return this.#withOtherFields();
      case 'text':
        return this.#changed(this.#random.pick(this.#texts));
      case 'crossed':
        return this.#crossed();
      case 'long':
        return this.#long();
    }
  }

  #fresh(): string {
    const text = this.#random.pick(this.#sources).any();
    this.#keep(this.#texts, text);
    if (text.length <= longestObject) this.#keepObject(text);
    return text;
  }

  #keepObject(text: string): void {
    try {
      const value: unknown = JSON.parse(text);
      if (isJsonObject(value)) this.#keep(this.#objects, value);
    } catch {
      // It is no JSON, which is as good a text as any.
    }
  }

  #keep<Item>(items: Item[], item: Item): void {
    if (items.length < kept) items.push(item);
    else items[this.#random.below(kept)] = item;
  }

  /** A frame with something else in its body, or beside it, or with the body of another. */
  #withOtherFields(): string {
    const random = this.#random;
    const frame = random.pick(this.#objects);
    const bodyField = bodyFields.find((field) => isJsonObject(frame[field]));
    if (bodyField === undefined || random.isTrue(0.1)) return JSON.stringify(mutatedObject(frame, random));
    if (random.isTrue(0.1)) {
      return JSON.stringify({ ...frame, [bodyField]: random.pick(this.#objects)[bodyField] });
    }
    let body = frame[bodyField] as object;
    for (let times = 1 + random.below(2); times > 0; times -= 1) body = mutatedObject(body, random);
    return JSON.stringify({ ...frame, [bodyField]: body });
  }

  #changed(text: string): string {
    let changed = mutatedText(text, this.#random);
    while (this.#random.isTrue(0.3)) changed = mutatedText(changed, this.#random);
    return changed;
  }

  /** One frame's beginning with another's end. */
  #crossed(): string {
    const random = this.#random;
    const [head, tail] = [random.pick(this.#texts), random.pick(this.#texts)];
    return head.slice(0, random.below(head.length + 1)) + tail.slice(random.below(tail.length + 1));
  }

  /** As long as a frame can be, as some piece is repeated: anywhere, as a value, or within one. */
  #long(): string {
    const random = this.#random;
    const text = random.pick(this.#texts);
    const from = random.below(text.length + 1);
    const before = random.pick(['', ':', ':"']);
    const at = text.indexOf(before, from) + before.length;
    const piece = random.isTrue(0.3)
      ? text.slice(from, from + 1 + random.below(longestRepeated)) || ' '
      : random.pick(heavy);
    const times = Math.floor((maxFrameBytes - Buffer.byteLength(text)) / Buffer.byteLength(piece));
    return text.slice(0, at) + piece.repeat(Math.max(0, times)) + text.slice(at);
  }
}
