import type { EndpointStats, ErrorCode } from '@parley/protocol';
import { errorCodes } from '@parley/protocol';

/**
 * What one instance did with the requests for one method. NATS counts by itself only what a handler does before its first
 * `await`, and no error of ours, as it never sees one thrown.
 */
export class EndpointCounts {
  #answered = 0;
  #errors = 0;
  #totalMs = 0;

  /** Begins to answer a request. @returns To be called with what became of it. */
  begin(): (outcome: 'ok' | ErrorCode) => void {
    const start = performance.now();
    return (outcome) => {
      this.#answered += 1;
      this.#totalMs += performance.now() - start;
      if (outcome !== 'ok' && errorCodes[outcome].http >= 500) this.#errors += 1;
    };
  }

  read(): EndpointStats {
    return { answered: this.#answered, errors: this.#errors, totalMs: this.#totalMs };
  }
}
