import type { FinalState, Journal } from '../journal.ts';
import { auditAnswers } from './answers.ts';
import { auditConfirmations } from './confirmations.ts';
import { auditDeliveries, auditReading } from './deliveries.ts';
import { auditFiles } from './files.ts';
import { Ledger } from './ledger.ts';
import { auditNumbering } from './numbering.ts';
import { auditReceipts } from './receipts.ts';
import { auditStreams } from './streams.ts';
import type { Violation } from './violation.ts';

/**
 * Proves that the system kept its promises to these clients, or finds where it did not. For each room:
 *
 * 1. every confirmed message is in history, once, with that id, in its connection's order;
 * 2. ids are 1 to n without a hole;
 * 3. every connection's stream is in order, without duplicate and, over its reconnects, complete;
 * 4. nothing was delivered that is not in history;
 * 5. nobody got anything from a room that it was not in;
 * 6. confirmed files download with the right hash;
 * 7. receipts never exceed what was received;
 * 8. every request was answered, and after the last fault everything works.
 */
export function audit(journal: Journal, final: FinalState): Violation[] {
  const ledger = new Ledger(journal, final);
  return [
    ...auditConfirmations(journal, ledger),
    ...[...final.histories].flatMap(([room, history]) => auditNumbering(room, history)),
    ...auditStreams(journal.streams, ledger),
    ...auditDeliveries(journal, ledger),
    ...auditReading(journal, ledger),
    ...auditFiles(journal, final, ledger),
    ...auditReceipts(journal, ledger),
    ...auditAnswers(journal),
    ...final.unrecovered.map((unrecovered) => ({ point: 8, ...unrecovered })),
  ];
}
