/** One line of a guide's blocks of frames: what somebody does, or what comes to somebody. */
export interface Step {
  /** Whose connection it is. */
  who: string;
  kind: 'opens' | 'sends' | 'gets' | 'asks' | 'is answered' | 'closes' | 'is closed';
  /** The frame exactly as it is written, the URL, or what is asked over HTTP. */
  text: string;
  /** In the guide, for failures. */
  line: number;
}

const patterns: readonly [Step['kind'], RegExp][] = [
  ['opens', /^(\w+) = (ws:.+)$/],
  ['asks', /^(\w+) > ((?:GET|POST) .+)$/],
  ['is answered', /^(\w+) < (\d{3} .+)$/],
  ['sends', /^(\w+) > (.+)$/],
  ['gets', /^(\w+) < (.+)$/],
  ['is closed', /^(\w+) is closed: (\d{4})$/],
  ['closes', /^(\w+) (closes)$/],
];

/**
 * The steps of all blocks of a guide (fenced as `frames`), in order.
 * @throws Error naming a line that is none.
 */
export function stepsOf(guide: string): Step[] {
  const steps: Step[] = [];
  let isInside = false;
  for (const [index, text] of guide.split('\n').entries()) {
    if (text.startsWith('```')) isInside = text === '```frames';
    else if (isInside && text !== '') steps.push(stepOf(text, index + 1));
  }
  return steps;
}

function stepOf(line: string, number: number): Step {
  for (const [kind, pattern] of patterns) {
    const [, who, text] = pattern.exec(line) ?? [];
    if (who !== undefined && text !== undefined) return { who, kind, text, line: number };
  }
  throw new Error(`line ${number} is no step: ${line}`);
}
