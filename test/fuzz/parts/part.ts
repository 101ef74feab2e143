import type { SeededRandom } from '../../faults/random.ts';
import type { Budget } from '../budget.ts';
import type { Findings } from '../findings.ts';
import type { Vocabulary } from '../generation/vocabulary.ts';
import type { System } from '../system.ts';

/** What all parts work with. */
export interface PartContext {
  system: System;
  random: SeededRandom;
  budget: Budget;
  findings: Findings;
  /** What is known of the system by all together. */
  vocabulary: Vocabulary;
  /** What must not be in any log: to be added to. */
  secrets: Set<string>;
}

/** How long an answer may take, in ms: longer than the server takes to give up. */
export const patienceMs = 25_000;
/** While a finding is made smaller, as most of it is not tried under load; and how long that may take altogether. */
export const quickPatienceMs = 4_000;
export const minimisingMs = 60_000;
