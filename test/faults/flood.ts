import { setTimeout as delay } from 'node:timers/promises';
import type { Cast } from './cast.ts';

/** As many characters as a message may have, of four bytes each. */
const mostCharacters = 8_000;
const messagesAtOnce = 120;
const betweenMs = 50;

/** The reader stops reading while its room is flooded with large messages: more than a gateway keeps for one connection. */
export async function fillReader({ reader, flooder, floodRoom }: Cast, forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  reader.pauseReading();
  const large = ` ${'\u{1F30A}'.repeat(mostCharacters)}`;
  while (performance.now() < until) {
    if (flooder.isQuiet)
      for (let count = 0; count < messagesAtOnce; count += 1) flooder.say(floodRoom, large);
    await delay(betweenMs);
  }
  reader.resumeReading();
}
