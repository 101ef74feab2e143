import { expect } from '@jest/globals';
import { ParleyError } from '../errors.ts';
import type { Dialect, JsonObject } from './dialect.ts';

/** What a dialect says against a frame with one of its actions. */
export function errorOf(dialect: Dialect, frame: JsonObject): ParleyError {
  try {
    dialect.decode(frame);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ParleyError);
    return thrown as ParleyError;
  }
  throw new Error(`${String(frame['action'])} was accepted`);
}

/** The code and the field that a refusal names, which its message names too. */
export function refusalBy(dialect: Dialect, frame: JsonObject): [code: string, field: string | undefined] {
  const { code, details, message } = errorOf(dialect, frame);
  expect(message).toContain(`\`${String(details.field)}\``);
  return [code, details.field];
}
