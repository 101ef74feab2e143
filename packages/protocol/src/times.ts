import { Type } from '@parley/schema';

/** RFC 3339 date-time with its zone; a space or missing zone would be read differently by different readers. */
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** A time as a client may write it: ISO 8601 (RFC 3339) with a zone. `normalizeTime` gives its canonical form. */
export const TimeInput = Type.Refine(
  Type.String({ maxLength: 40 }),
  (text) => typeof text === 'string' && dateTime.test(text) && isKeepable(Date.parse(text)),
  () => 'must be an ISO 8601 time with its zone, such as 2024-01-01T12:00:00Z',
);

/** A time in canonical form: ISO 8601 UTC with milliseconds, such as `2024-01-01T12:00:00.000Z`. */
export const Time = Type.String({ minLength: 24, maxLength: 24 });

export function normalizeTime(text: string): string {
  return new Date(text).toISOString();
}

/** Whether it is a time in the years 1 to 9999 UTC, which all readers of the canonical form understand alike. */
function isKeepable(ms: number): boolean {
  return ms >= Date.parse('0001-01-01T00:00:00Z') && ms < Date.parse('+010000-01-01T00:00:00Z');
}
