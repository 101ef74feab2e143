import { expect, test } from '@jest/globals';
import { Type } from '@parley/schema';
import { ParleyError } from './errors.ts';
import { storableText } from './text.ts';
import { matches, validated } from './validation.ts';

const Order = Type.Object({
  tea: storableText(1, 10),
  cups: Type.Optional(Type.Integer({ minimum: 1 })),
  guests: Type.Optional(Type.Array(Type.Object({ name: Type.String() }))),
});

test('what has the shape is passed on as it is, further fields included', () => {
  const order = { tea: 'Assam', cups: 2, guests: [{ name: 'anna' }], further: true };
  expect(validated(Order, order)).toBe(order);
  expect(matches(Order, order)).toBe(true);
});

test.each<[string, unknown, string, string | undefined]>([
  ['a missing field', {}, 'missing_field', 'tea'],
  ['a field that is undefined', { tea: undefined }, 'invalid_field', 'tea'],
  ['a missing field of a list', { tea: 'a', guests: [{ name: 'b' }, {}] }, 'missing_field', 'guests.1.name'],
  ['a wrong type', { tea: 7 }, 'invalid_field', 'tea'],
  ['a wrong type in a list', { tea: 'a', guests: [{ name: 1 }] }, 'invalid_field', 'guests.0.name'],
  ['a broken rule', { tea: 'a\0' }, 'invalid_field', 'tea'],
  ['null for something optional', { tea: 'a', cups: null }, 'invalid_field', 'cups'],
  ['something missing beside something wrong', { cups: 'two' }, 'missing_field', 'tea'],
  ['no object at all', 7, 'invalid_field', undefined],
])('%s is named', (_what, value, code, field) => {
  expect(matches(Order, value)).toBe(false);
  const error = refusalOf(value);
  expect(error.code).toBe(code);
  expect(error.details).toEqual(field === undefined ? {} : { field });
  expect(error.message).toContain(
    field === undefined ? 'The request is invalid' : `The field \`${field}\` is`,
  );
});

function refusalOf(value: unknown): ParleyError {
  try {
    validated(Order, value);
  } catch (thrown) {
    if (thrown instanceof ParleyError) return thrown;
  }
  throw new Error('no ParleyError was thrown');
}
