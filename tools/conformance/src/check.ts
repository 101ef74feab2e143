import type { Stage } from './stage.ts';

export const dialects = ['login', 'identify', 'join'] as const;
export type Dialect = (typeof dialects)[number];

/** One promise of the protocol that can be tried from outside. */
export interface Check {
  /** As `login.send.confirmed`; its first part is the group. */
  id: string;
  /** What a server does that keeps the promise. */
  says: string;
  /** Where it is promised: a heading of docs/protocol.md. */
  section: string;
  /** Those that the server has to speak for it; none: whatever it speaks. */
  dialects: readonly Dialect[];
  /** @throws Failure where the promise is broken, NotApplicable where this server does not offer it. */
  run(stage: Stage): Promise<void>;
}

/** Checks of one group, which share their section and dialects. */
export function group(
  name: string,
  common: Pick<Check, 'section' | 'dialects'>,
  checks: readonly (Pick<Check, 'id' | 'says' | 'run'> & Partial<Pick<Check, 'section'>>)[],
): Check[] {
  return checks.map((check) => ({ ...common, ...check, id: `${name}.${check.id}` }));
}
