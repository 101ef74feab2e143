import type { SeenMessage } from '../journal.ts';
import type { Violation } from './violation.ts';

/** (2) Ids are 1 to n without a hole, and times do not go back. */
export function auditNumbering(room: string, history: readonly SeenMessage[]): Violation[] {
  const violations: Violation[] = [];
  history.forEach(({ id, timestamp }, index) => {
    if (id !== index + 1)
      violations.push({ point: 2, what: `${id} stands where ${index + 1} belongs`, room });
    const before = history[index - 1];
    if (before && timestamp < before.timestamp)
      violations.push({
        point: 2,
        what: `${id} is of ${timestamp}, ${before.id} of ${before.timestamp}`,
        room,
      });
  });
  // One hole moves all that follow.
  return violations.slice(0, 3);
}
