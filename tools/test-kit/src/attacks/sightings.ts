/** What an attacker saw of the server. Counts by word: how often. */
export interface Sightings {
  /** Connections that were begun. */
  tried: number;
  opened: number;
  /** By HTTP status, or by what broke where there was no answer. */
  refused: Record<string, number>;
  /** Of those opened, by close code; those we closed ourselves are not counted. */
  closed: Record<string, number>;
  /** Frames that came, by their action; errors by their code. */
  answers: Record<string, number>;
}

/** Nothing yet. */
export function noSightings(): Sightings {
  return { tried: 0, opened: 0, refused: {}, closed: {}, answers: {} };
}

/** Counts one more. */
export function count(counts: Record<string, number>, word: string | number): void {
  counts[word] = (counts[word] ?? 0) + 1;
}
