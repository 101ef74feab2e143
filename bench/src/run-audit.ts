import { Audit, type AuditResult, type Problem } from './audit.ts';
import type { Contender } from './contenders/contender.ts';
import type { LoadGenerator } from './load-generator.ts';
import type { ConnectionAccount } from './load-plan.ts';
import type { Seat } from './wires/index.ts';

/** The audit of a load: of what was answered and stored, and of what was delivered. */
export interface RunAudit extends AuditResult {
  /** Messages of others that came, over all connections. */
  deliveries: number;
  /** Error frames and lost connections, the first few of each connection. */
  errors: string[];
}

/**
 * Waits for what is still under way, closes the connections, and compares: what senders were told with history (where the
 * contender has one), and what each connection got with what was sent to its room.
 */
export async function auditRun(
  load: LoadGenerator,
  contender: Contender,
  seats: readonly Seat[],
): Promise<RunAudit> {
  const expected = expectedDeliveries(await load.accounts(), seats);
  await load.settle(expected);
  const accounts = await load.accounts();
  await load.close();
  const audit = new Audit(
    new Map(accounts.map(({ number, outcomes }) => [number, outcomes])),
    contender.isNumbered,
  );
  if (contender.readHistory) {
    for (const [roomId, members] of Map.groupBy(seats, (seat) => seat.roomId)) {
      audit.readRoom(
        roomId,
        new Set(members.map(({ number }) => number)),
        await contender.readHistory(members[0]!),
      );
    }
  }
  const result = audit.result(contender.readHistory !== undefined);
  return {
    ...result,
    problems: [...result.problems, ...deliveryProblems(accounts, expected)],
    deliveries: accounts.reduce((sum, { deliveries }) => sum + deliveries.count, 0),
    errors: accounts.flatMap(({ errors }) => errors),
  };
}

/** What was confirmed to the others in its room, by the number of the connection. */
export function expectedDeliveries(
  accounts: readonly Pick<ConnectionAccount, 'number' | 'outcomes'>[],
  seats: readonly Pick<Seat, 'number' | 'roomId'>[],
): Map<number, number> {
  const roomOf = new Map(seats.map(({ number, roomId }) => [number, roomId]));
  const sentBy = new Map(accounts.map(({ number, outcomes }) => [number, countConfirmed(outcomes)]));
  const sentTo = new Map<string, number>();
  for (const [number, sent] of sentBy) {
    const roomId = roomOf.get(number)!;
    sentTo.set(roomId, (sentTo.get(roomId) ?? 0) + sent);
  }
  return new Map(Array.from(sentBy, ([number, sent]) => [number, sentTo.get(roomOf.get(number)!)! - sent]));
}

function countConfirmed(outcomes: ConnectionAccount['outcomes']): number {
  let confirmed = 0;
  for (let sequence = 0; sequence < outcomes.length; sequence += 1)
    if (outcomes[sequence]! > 0) confirmed += 1;
  return confirmed;
}

export function deliveryProblems(
  accounts: readonly Pick<ConnectionAccount, 'number' | 'deliveries'>[],
  expected: ReadonlyMap<number, number>,
): Problem[] {
  const problems = [
    problemOf(
      accounts,
      'not delivered',
      ({ number, deliveries }) => expected.get(number)! - deliveries.count,
    ),
    problemOf(
      accounts,
      'delivered more than once',
      ({ number, deliveries }) => deliveries.count - expected.get(number)!,
    ),
    problemOf(
      accounts,
      'delivered out of the order of their sender',
      ({ deliveries }) => deliveries.misordered,
    ),
    problemOf(accounts, 'delivered out of the order of the room', ({ deliveries }) => deliveries.misnumbered),
  ];
  return problems.filter(({ count }) => count > 0);
}

function problemOf<Account extends { number: number }>(
  accounts: readonly Account[],
  what: string,
  countOf: (account: Account) => number,
): Problem {
  const found = accounts.filter((account) => countOf(account) > 0);
  return {
    what,
    count: found.reduce((sum, account) => sum + countOf(account), 0),
    example: found.length > 0 ? `connection ${found[0]!.number}` : '',
  };
}
