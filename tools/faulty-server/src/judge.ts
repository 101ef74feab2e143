import { createRandom } from './random.ts';
import { isUpgradeFault } from './rules.ts';
import type { Direction, Rule } from './rules.ts';

/** Decides what happens to what; each decision depends on the seed and on what went before on that connection only. */
export class Judge {
  readonly #seed: number;
  readonly #rules: readonly { rule: Rule; left: { times: number } }[];

  constructor(rules: readonly Rule[], seed: number) {
    this.#seed = seed;
    this.#rules = rules.map((rule) => ({ rule, left: { times: rule.times } }));
  }

  /** @param connection Its number, from 1. */
  forConnection(connection: number): ConnectionJudge {
    const seen = this.#rules
      .map((entry, index) => ({
        ...entry,
        random: createRandom(this.#seed, connection, index),
        // Each connection has one upgrade: those before were the other connections'.
        matched: isUpgradeFault(entry.rule.fault) ? connection - 1 : 0,
      }))
      .filter(({ rule }) => rule.connection === undefined || rule.connection === connection);
    const decide = (isAbout: (rule: Rule) => boolean): Rule | undefined => {
      let decided: Rule | undefined;
      for (const entry of seen) {
        const { rule, left, random } = entry;
        if (!isAbout(rule)) continue;
        entry.matched += 1;
        const isUnlucky = random() < rule.chance;
        if (decided || entry.matched <= rule.after || left.times <= 0 || !isUnlucky) continue;
        left.times -= 1;
        decided = rule;
      }
      return decided;
    };
    return {
      onUpgrade: () => decide(({ fault }) => isUpgradeFault(fault)),
      onFrame: (towards, action) =>
        decide(
          (rule) =>
            !isUpgradeFault(rule.fault) &&
            rule.direction === towards &&
            (rule.action === undefined || rule.action === action),
        ),
    };
  }
}

/** Of several rules that would apply the first one does. */
export interface ConnectionJudge {
  onUpgrade(): Rule | undefined;
  onFrame(towards: Direction, action: string): Rule | undefined;
}
