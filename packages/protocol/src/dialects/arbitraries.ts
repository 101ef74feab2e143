import fc from 'fast-check';
import { isName, normalizeName } from '../text.ts';

/*
 * What clients may write in the fields of their frames, for the property tests of the dialects.
 */

export type Bodies = Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>>;

export const anyText = fc.string({ unit: 'binary' });

export const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const padding = fc.constantFrom('', ' ', '\t ', '\u00a0');

/** A name in any of the ways that it may be written. */
export const name = fc
  .tuple(padding, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), padding)
  .map((parts) => parts.join(''))
  .filter((written) => isName(normalizeName(written)));

export const text = (minLength: number, maxLength: number) =>
  fc.string({
    unit: fc.oneof(fc.constant('😀'), fc.string({ minLength: 1, maxLength: 1 })),
    minLength,
    maxLength,
  });

export const roomId = text(1, 64);
export const messageId = fc.nat();
export const transactionId = text(1, 128);
export const limit = optional(fc.integer({ min: 1 }));

export const time = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
