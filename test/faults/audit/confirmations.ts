import type { Attempt, Journal, Sent } from '../journal.ts';
import type { Ledger } from './ledger.ts';
import type { Violation } from './violation.ts';

type Confirmed = Attempt & { outcome: { at: number; id: number; timestamp: string } };

/** (1) Every confirmed message is in history, once, with that id and time; and a connection's messages keep its order. */
export function auditConfirmations({ sent }: Journal, ledger: Ledger): Violation[] {
  return [...sent.flatMap((message) => auditOne(message, ledger)), ...auditOrder(sent)];
}

function auditOne(sent: Sent, ledger: Ledger): Violation[] {
  const { room, text, sender } = sent;
  const about = { point: 1, room, user: sender };
  const places = ledger.places(text);
  const violations: Violation[] = [];
  if (places.length > 1) {
    const ids = places.map(({ message }) => message.id).join(', ');
    violations.push({
      ...about,
      what: `"${text}" is in history ${places.length} times: ${ids}`,
      at: sent.attempts[0]!.at,
    });
  }
  for (const { outcome } of sent.attempts.filter(isConfirmed)) {
    const { id, at, timestamp } = outcome;
    const found = places.find((place) => place.room === room && place.message.id === id);
    if (!found) {
      const where = places.map(({ message }) => message.id).join(', ') || 'not in history';
      violations.push({ ...about, what: `"${text}" was confirmed as ${id}, but is ${where}`, at });
    } else if (found.message.timestamp !== timestamp) {
      const times = `${timestamp}, history says ${found.message.timestamp}`;
      violations.push({ ...about, what: `"${text}" (${id}) was confirmed at ${times}`, at });
    }
  }
  return violations;
}

/** Only where each was confirmed at its first try: who tries again gives up its place. */
function auditOrder(sent: readonly Sent[]): Violation[] {
  const atOnce = sent.filter(({ attempts }) => attempts.length === 1 && isConfirmed(attempts[0]!));
  const lanes = Map.groupBy(atOnce, ({ room, attempts }) => `${room} ${attempts[0]!.connection}`);
  return [...lanes.values()].flatMap((lane) =>
    lane.slice(1).flatMap((message, index) => {
      const [before, after] = [confirmedId(lane[index]!), confirmedId(message)];
      if (before < after) return [];
      const what = `"${message.text}" (${after}) was sent after "${lane[index]!.text}" (${before})`;
      return [{ point: 1, what, room: message.room, user: message.sender, at: message.attempts[0]!.at }];
    }),
  );
}

function isConfirmed(attempt: Attempt): attempt is Confirmed {
  return attempt.outcome !== undefined && 'id' in attempt.outcome;
}

function confirmedId({ attempts }: Sent): number {
  return (attempts[0] as Confirmed).outcome.id;
}
