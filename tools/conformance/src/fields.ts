import { Failure } from './failure.ts';

/** What a frame carries. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws Failure where it is no text. */
export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Failure(`\`${name}\` is ${JSON.stringify(value)}, not a text`);
  return value;
}

/** @throws Failure where it is no whole number. */
export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value))
    throw new Failure(`\`${name}\` is ${JSON.stringify(value)}, not a whole number`);
  return value as number;
}

/** @throws Failure where it is no list of objects. */
export function list(fields: Fields, name: string): Fields[] {
  const value = fields[name];
  if (!Array.isArray(value) || !value.every(isFields)) {
    throw new Failure(`\`${name}\` is ${JSON.stringify(value)}, not a list of objects`);
  }
  return value;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
