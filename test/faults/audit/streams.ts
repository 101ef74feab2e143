import type { Stream } from '../journal.ts';
import type { Ledger } from './ledger.ts';
import type { Violation } from './violation.ts';

/**
 * (3) What a connection got in a room is in order, without duplicate (resends of the handshake excepted) and complete: nothing is
 * missing between what came, nothing between what it knew before and what came, and at the end of the run nothing up to the last.
 *
 * Not owed: to who sends by a dialect that does not tell senders, its own; under the handshake, what it had acknowledged before
 * (it may come again where the receipt was lost on its way).
 */
export function auditStreams(streams: readonly Stream[], ledger: Ledger): Violation[] {
  const acknowledged = new Map<string, Set<number>>();
  const violations: Violation[] = [];
  for (const stream of [...streams].sort((one, other) => one.beganAt - other.beganAt)) {
    const key = `${stream.user} ${stream.room}`;
    const before = acknowledged.get(key) ?? new Set();
    violations.push(...new StreamAudit(stream, ledger, before).violations());
    acknowledged.set(key, new Set([...before, ...stream.acknowledged.map(({ id }) => id)]));
  }
  return violations;
}

class StreamAudit {
  readonly #stream: Stream;
  readonly #ledger: Ledger;
  readonly #acknowledgedBefore: ReadonlySet<number>;

  constructor(stream: Stream, ledger: Ledger, acknowledgedBefore: ReadonlySet<number>) {
    this.#stream = stream;
    this.#ledger = ledger;
    this.#acknowledgedBefore = acknowledgedBefore;
  }

  violations(): Violation[] {
    return [
      ...this.#orderOfLive(),
      ...this.#orderOfPages(),
      ...this.#seam(),
      ...this.#end(),
      ...this.#ownMessages(),
    ];
  }

  /** Each id follows the one before, but for those that are not owed. */
  #orderOfLive(): Violation[] {
    const { live, catchUp } = this.#stream;
    const seen = new Set<number>();
    const violations: Violation[] = [];
    let last: number | undefined;
    for (const { id, at } of live) {
      if (seen.has(id)) {
        if (catchUp !== 'receipts') violations.push(this.#violation(`${id} came twice`, at));
        continue;
      }
      seen.add(id);
      if (last !== undefined && id < last) {
        violations.push(this.#violation(`${id} came after ${last}`, at));
      } else if (last !== undefined) {
        violations.push(...this.#missing(last + 1, id - 1, `between ${last} and ${id}`, at));
      }
      last = Math.max(last ?? 0, id);
    }
    return violations;
  }

  #orderOfPages(): Violation[] {
    const { pages, after, beganAt } = this.#stream;
    const wrong = pages.findIndex(({ id }, index) => id !== after + 1 + index);
    if (wrong === -1) return [];
    return [
      this.#violation(
        `history after ${after} has ${pages[wrong]!.id} in place of ${after + 1 + wrong}`,
        beganAt,
      ),
    ];
  }

  /** Between what the client knew, or has read, and the first that came by itself. */
  #seam(): Violation[] {
    const { live, isCaughtUp } = this.#stream;
    const [first] = live;
    if (!first || !isCaughtUp) return [];
    const known = this.#lastRead();
    return this.#missing(
      known + 1,
      first.id - 1,
      `after ${known}, which it knew; ${first.id} came first`,
      first.at,
    );
  }

  #end(): Violation[] {
    const { live, isCaughtUp, endedAt, room } = this.#stream;
    if (endedAt !== undefined || !isCaughtUp) return [];
    const last = live.reduce((highest, { id }) => Math.max(highest, id), this.#lastRead());
    return this.#missing(last + 1, this.#ledger.lastId(room), `at the end, after ${last}`, undefined);
  }

  /** A connection that alone has sent a message is not told it, where senders are not. */
  #ownMessages(): Violation[] {
    const { live, tellsSenders, user, connection } = this.#stream;
    if (tellsSenders) return [];
    return live.flatMap(({ id, sender, text, at }) => {
      const attempts = this.#ledger.attempts(text);
      const isOwn =
        sender === user && attempts.length > 0 && attempts.every((a) => a.connection === connection);
      return isOwn ? [this.#violation(`its own message ${id} came back`, at)] : [];
    });
  }

  #missing(from: number, to: number, where: string, at: number | undefined): Violation[] {
    const missing = this.#ledger.firstExcept(from, to, (id) => this.#isExcused(id));
    return missing === undefined ? [] : [this.#violation(`${missing} is missing ${where}`, at)];
  }

  #isExcused(id: number): boolean {
    const { room, user, tellsSenders, catchUp } = this.#stream;
    if (!tellsSenders && this.#ledger.message(room, id)?.sender === user) return true;
    return catchUp === 'receipts' && this.#acknowledgedBefore.has(id);
  }

  #lastRead(): number {
    return this.#stream.pages.at(-1)?.id ?? this.#stream.after;
  }

  #violation(what: string, at: number | undefined): Violation {
    const { room, user, connection } = this.#stream;
    const about = { point: 3, what: `connection ${connection}: ${what}`, room, user };
    return at === undefined ? about : { ...about, at };
  }
}
