/** Some of a file's bytes, the last included. */
export interface ByteRange {
  first: number;
  last: number;
}

const singleRange = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i;

/**
 * What a `Range` header asks for (RFC 9110, section 14.1.2), of a file of that size. Undefined: all of it, as the RFC allows
 * for several ranges and wants for what is none.
 */
export function byteRange(header: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = singleRange.exec(header);
  if (!match) return undefined;
  const [, from, to, suffix] = match;
  const last = size - 1;
  // A suffix that is longer than the file is the whole file.
  const range =
    suffix === undefined
      ? { first: Number(from), last: to ? Math.min(Number(to), last) : last }
      : { first: Math.max(size - Number(suffix), 0), last };
  if (from && to && Number(to) < Number(from)) return undefined;
  return range.first > range.last ? 'unsatisfiable' : range;
}
