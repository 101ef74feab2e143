import { setTimeout as delay } from 'node:timers/promises';

const mostTries = 10;
const longestMs = 60_000;

/**
 * Asks again where there was too much of it: a suite is a crowd at one address.
 * @param waitOf How long the answer says to wait, in ms; undefined for any other answer.
 */
export async function afterRateLimit<Answer>(
  ask: () => Promise<Answer>,
  waitOf: (answer: Answer) => unknown,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    const waitMs = waitOf(answer);
    if (typeof waitMs !== 'number' || attempt === mostTries) return answer;
    await delay(Math.min(waitMs, longestMs));
  }
}
