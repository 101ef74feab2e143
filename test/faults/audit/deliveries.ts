import type { Delivery, Journal, Membership, SeenMessage } from '../journal.ts';
import { sameMessage, type Ledger } from './ledger.ts';
import type { Violation } from './violation.ts';

interface Told extends Delivery {
  user: string;
  member: string;
  room: string;
}

/** (4) Nothing was delivered or read that is not in history; (5) nobody got anything from a room that it was not in. */
export function auditDeliveries(journal: Journal, ledger: Ledger): Violation[] {
  const memberships = Map.groupBy(journal.memberships, ({ member, room }) => `${member} ${room}`);
  return [...allTold(journal)].flatMap((told) => [
    ...auditContent(told, told, ledger),
    ...auditMembership(told, memberships.get(`${told.member} ${told.room}`) ?? [], ledger),
  ]);
}

/** Pages, and rooms that answered who may not see them. */
export function auditReading({ streams, pages, trespasses }: Journal, ledger: Ledger): Violation[] {
  const read = [
    ...streams.map(({ user, room, beganAt, pages: messages }) => ({ user, room, at: beganAt, messages })),
    ...pages,
  ];
  return [
    ...read.flatMap(({ messages, ...where }) =>
      messages.flatMap((message) => auditContent(where, message, ledger)),
    ),
    ...pages.flatMap(({ user, room, at, after, messages }) => {
      const wrong = messages.findIndex(({ id }, index) => id !== after + 1 + index);
      const what = `history after ${after} has ${messages[wrong]?.id} in place of ${after + 1 + wrong}`;
      return wrong === -1 ? [] : [{ point: 2, what, room, user, at }];
    }),
    ...trespasses.map(({ user, room, at, action }) => ({
      point: 5,
      what: `${action} was answered to one who is not in the room`,
      room,
      user,
      at,
    })),
  ];
}

function* allTold({ streams, strays }: Journal): Generator<Told> {
  for (const { user, member, room, live } of streams)
    for (const one of live) yield { ...one, user, member, room };
  yield* strays;
}

function auditContent(
  { room, user, at }: { room: string; user: string; at: number },
  message: SeenMessage,
  ledger: Ledger,
): Violation[] {
  const stored = ledger.message(room, message.id);
  if (sameMessage(message, stored)) return [];
  const shown = ({ id, sender, text, timestamp }: SeenMessage) =>
    `${id} "${text}" of ${sender} at ${timestamp}`;
  const what = `got ${shown(message)}; history has ${stored ? shown(stored) : 'nothing there'}`;
  return [{ point: 4, what, room, user, at }];
}

/** What was sent after somebody was told of the end of a membership is not for the member; what was on its way may still come. */
function auditMembership(told: Told, memberships: readonly Membership[], ledger: Ledger): Violation[] {
  const { room, user, at, id, text } = told;
  const latest = memberships.filter(({ from }) => from <= at).at(-1);
  if (!latest) return [{ point: 5, what: `got ${id} of a room that it was never in`, room, user, at }];
  const { until } = latest;
  const sentAt = ledger.attempts(text)[0]?.at;
  if (until === undefined || until >= at || sentAt === undefined || sentAt <= until) return [];
  const ms = Math.round(sentAt - until);
  return [
    { point: 5, what: `got ${id}, which was sent ${ms} ms after its membership had ended`, room, user, at },
  ];
}
