import { isDeepStrictEqual } from 'node:util';
import { Failure } from './failure.ts';

/** What a value is like that can't be foreseen. */
export class Like {
  readonly what: string;
  readonly accepts: (value: unknown) => boolean;

  constructor(what: string, accepts: (value: unknown) => boolean) {
    this.what = what;
    this.accepts = accepts;
  }

  toJSON(): string {
    return `<${this.what}>`;
  }
}

export const someText = new Like('some text', (value) => typeof value === 'string' && value !== '');
export const noValue = new Like('no such field', (value) => value === undefined);
export const aTime = new Like('a time in UTC with milliseconds', (value) => {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
});

/**
 * The value has at least what is expected: of objects the fields that are named, of lists and everything else exactly that.
 * @throws Failure naming the first field that differs.
 */
export function expectLike(what: string, actual: unknown, expected: unknown): void {
  const wrong = firstDifference(actual, expected, '');
  if (wrong === undefined) return;
  throw new Failure(
    `${what}: expected ${wrong.path === '' ? '' : `\`${wrong.path}\` to be `}${show(wrong.expected)}, got ${show(wrong.actual)}`,
  );
}

/** @throws Failure */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Failure(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** @throws Failure saying what is wrong, where it is not true. */
export function expectThat(wrong: string, isTrue: boolean): void {
  if (!isTrue) throw new Failure(wrong);
}

interface Difference {
  path: string;
  actual: unknown;
  expected: unknown;
}

function firstDifference(actual: unknown, expected: unknown, path: string): Difference | undefined {
  if (expected instanceof Like) {
    return expected.accepts(actual) ? undefined : { path, actual, expected };
  }
  if (!isObject(expected)) {
    return isDeepStrictEqual(actual, expected) ? undefined : { path, actual, expected };
  }
  if (!isObject(actual)) return { path, actual, expected };
  for (const [field, value] of Object.entries(expected)) {
    const inner = firstDifference(actual[field], value, path === '' ? field : `${path}.${field}`);
    if (inner) return inner;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const mostShown = 300;

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > mostShown ? `${text.slice(0, mostShown)}...` : text;
}
