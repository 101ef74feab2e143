/** A promise that was broken. */
export interface Violation {
  /** Which of the points of the proof: 1 to 8. */
  point: number;
  what: string;
  room?: string;
  user?: string;
  /** When it showed, on the run's clock. */
  at?: number;
}
