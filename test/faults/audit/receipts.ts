import type { Journal, ToldReceipt } from '../journal.ts';
import type { Ledger } from './ledger.ts';
import type { Violation } from './violation.ts';

/** (7) Receipts never exceed what was received: nobody is said to have what it had not acknowledged by then. */
export function auditReceipts({ streams, receipts }: Journal, ledger: Ledger): Violation[] {
  const acknowledgedAt = new Map<string, number>();
  for (const { user, room, acknowledged } of streams) {
    for (const { id, at } of acknowledged) {
      const key = `${user} ${room} ${id}`;
      acknowledgedAt.set(key, Math.min(at, acknowledgedAt.get(key) ?? Infinity));
    }
  }
  const hasAcknowledged = ({ reader, room, at }: ToldReceipt, id: number): boolean =>
    (acknowledgedAt.get(`${reader} ${room} ${id}`) ?? Infinity) <= at;

  return receipts.flatMap((receipt) => {
    const { reader, room, id, kind, at } = receipt;
    const isOwed = (one: number) => ledger.message(room, one)?.sender !== reader;
    const first = kind === 'position' ? 1 : id;
    const wrong = ledger.firstExcept(first, id, (one) => !isOwed(one) || hasAcknowledged(receipt, one));
    if (wrong === undefined) return [];
    const what = `is said to have acknowledged ${kind === 'position' ? `all up to ${id}` : id}, but not so ${wrong}`;
    return [{ point: 7, what, room, user: reader, at }];
  });
}
