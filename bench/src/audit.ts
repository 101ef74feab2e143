/** What came of a send, where it is no message id. */
export const unanswered = 0;
export const refused = -1;

/** What one connection sent, in its order: for each sequence number the id it was confirmed with, `unanswered` or `refused`. */
export type Outcomes = ArrayLike<number>;

/** A message as history shows it. */
export interface HistoryMessage {
  id: number;
  /** As the content tells; `undefined` where the content is not one that was sent here. */
  mark: { connection: number; sequence: number } | undefined;
}

export interface AuditResult {
  rooms: number;
  /** Messages in the history of all rooms. */
  messages: number;
  /** Sends that were confirmed with a message id. */
  confirmed: number;
  refused: number;
  unanswered: number;
  /** Each kind of problem with how often it was found and where first; empty when all is well. */
  problems: Problem[];
}

export interface Problem {
  what: string;
  count: number;
  example: string;
}

/**
 * Compares what senders were told with what history shows. In each room: ids are 1 to n without a hole; a sender's
 * messages stand in its order, each once; what was confirmed is there, under the id it was confirmed with.
 */
export class Audit {
  readonly #outcomesOf: ReadonlyMap<number, Outcomes>;
  readonly #isNumbered: boolean;
  readonly #problems = new Map<string, Problem>();
  readonly #lastSequence = new Map<number, number>();
  #rooms = 0;
  #messages = 0;
  #confirmedSeen = 0;

  /**
   * @param outcomesOf By the number of the connection.
   * @param isNumbered Whether ids are 1 to n in each room; else they only grow.
   */
  constructor(outcomesOf: ReadonlyMap<number, Outcomes>, isNumbered = true) {
    this.#outcomesOf = outcomesOf;
    this.#isNumbered = isNumbered;
  }

  /** Takes the whole history of a room, oldest first. */
  readRoom(roomId: string, connections: ReadonlySet<number>, messages: Iterable<HistoryMessage>): void {
    this.#rooms += 1;
    let expected = 1;
    for (const message of messages) {
      const where = `message ${message.id} of ${roomId}`;
      if (this.#isNumbered && message.id !== expected)
        this.#found('ids are not 1 to n', `${where}, expected ${expected}`);
      expected = message.id + 1;
      this.#messages += 1;
      this.#checkSender(message, connections, where);
    }
  }

  #checkSender({ id, mark }: HistoryMessage, connections: ReadonlySet<number>, where: string): void {
    if (!mark || !connections.has(mark.connection)) {
      this.#found('nobody here sent it', where);
      return;
    }
    const { connection, sequence } = mark;
    const sent = `${where}, connection ${connection}, send ${sequence}`;
    if (sequence <= (this.#lastSequence.get(connection) ?? -1)) this.#found('out of order or twice', sent);
    this.#lastSequence.set(connection, sequence);
    const outcome = this.#outcomesOf.get(connection)?.[sequence] ?? unanswered;
    if (outcome <= 0) return; // no promise was made
    if (outcome === id) this.#confirmedSeen += 1;
    else this.#found('confirmed with another id', `${sent}, confirmed with ${outcome}`);
  }

  /** @param hasHistory Whether all rooms were read; without history only the answers are looked at. */
  result(hasHistory = true): AuditResult {
    const outcomes = [...this.#outcomesOf.values()].flatMap((all) => Array.from(all));
    const confirmed = outcomes.filter((outcome) => outcome > 0).length;
    const refusals = outcomes.filter((outcome) => outcome === refused).length;
    const silent = outcomes.length - confirmed - refusals;
    const missing = hasHistory ? confirmed - this.#confirmedSeen : 0;
    const problems = [...this.#problems.values()];
    if (missing > 0)
      problems.push({ what: 'confirmed, but not in history as such', count: missing, example: '' });
    if (refusals > 0) problems.push({ what: 'refused with an error', count: refusals, example: '' });
    if (silent > 0) problems.push({ what: 'never answered', count: silent, example: '' });
    return {
      rooms: this.#rooms,
      messages: this.#messages,
      confirmed,
      refused: refusals,
      unanswered: silent,
      problems,
    };
  }

  #found(what: string, example: string): void {
    const problem = this.#problems.get(what);
    if (problem) problem.count += 1;
    else this.#problems.set(what, { what, count: 1, example });
  }
}
