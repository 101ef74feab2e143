import { setTimeout as delay } from 'node:timers/promises';
import type { Stage } from './stage.ts';

const askAgainMs = 50;

/**
 * Asks for what is true soon rather than at once, such as who is present, until the answer is as expected.
 * @returns The last answer, which is another one where the patience ended first.
 */
export async function askUntil<Answer>(
  { options: { patienceMs } }: Stage,
  ask: () => Promise<Answer>,
  isExpected: (answer: Answer) => boolean,
): Promise<Answer> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (isExpected(answer) || Date.now() >= deadline) return answer;
    await delay(askAgainMs);
  }
}
