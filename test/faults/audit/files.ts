import { fileKey, type FinalState, type Journal } from '../journal.ts';
import type { Ledger } from './ledger.ts';
import type { Violation } from './violation.ts';

/** (6) Confirmed files download with the right hash, and were announced once; others at most once. */
export function auditFiles(
  { uploads, memberships }: Journal,
  { files }: Pick<FinalState, 'files'>,
  ledger: Ledger,
): Violation[] {
  // Who leaves before its file could be announced is no longer there to announce it.
  const staysIn = (user: string, room: string, since: number): boolean =>
    !memberships.some(
      (one) => one.member === user && one.room === room && (one.from > since || (one.until ?? 0) > since),
    );
  return uploads.flatMap(({ user, room, name, sha256, confirmedAt }) => {
    const about = { point: 6, room, user, ...(confirmedAt !== undefined && { at: confirmedAt }) };
    const announced = ledger.places(name).length;
    const violations: Violation[] = [];
    if (announced > 1)
      violations.push({ ...about, what: `the file ${name} was announced ${announced} times` });
    if (confirmedAt === undefined) return violations;
    if (announced === 0 && staysIn(user, room, confirmedAt))
      violations.push({ ...about, what: `the confirmed file ${name} was never announced` });
    const stored = files.get(fileKey(room, name));
    if (stored === undefined)
      violations.push({ ...about, what: `the confirmed file ${name} can't be downloaded` });
    else if (stored !== sha256)
      violations.push({ ...about, what: `the file ${name} has the hash ${stored}, not ${sha256}` });
    return violations;
  });
}
