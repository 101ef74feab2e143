/** A mistake in the command line, told in one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options of a scenario: whole numbers, some of which may be left out. */
export type Numbers = Record<string, number | undefined>;

/** @throws UsageError naming the option where the text is not a whole number within the bounds. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`--${option}: expected a whole number from ${min} to ${max}, got '${text}'`);
}
