import type { PartName } from './arguments.ts';

/** Something that must not be. */
export interface Finding {
  part: PartName | 'reading' | 'afterwards';
  /** In a sentence. */
  what: string;
  /** What was sent, the least that is known to cause it; each item as it went out. */
  input: readonly string[];
  /** Whether the input caused it again, on a connection of its own; undefined where that was not tried. */
  reproduced?: boolean;
}

const mostFindings = 20;

/** What was found so far. One bug is met again and again: each is kept once. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #known = new Set<string>();

  /** Whether it is worth the time to look closer at this one. */
  isNew({ part, what }: Pick<Finding, 'part' | 'what'>): boolean {
    return this.all.length < mostFindings && !this.#known.has(alike(part, what));
  }

  add(finding: Finding): void {
    if (!this.isNew(finding)) return;
    this.#known.add(alike(finding.part, finding.what));
    this.all.push(finding);
  }

  /** More is known of a finding by now. */
  replace(finding: Finding): void {
    const index = this.all.findIndex(
      ({ part, what }) => alike(part, what) === alike(finding.part, finding.what),
    );
    this.all[index] = finding;
  }
}

/** The sentence without what differs each time. */
function alike(part: string, what: string): string {
  return `${part} ${what.replaceAll(/\d+/g, '0')}`;
}
