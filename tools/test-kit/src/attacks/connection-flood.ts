import type { Attack } from './attack.ts';

/** Tries that are under way at the same time. */
const atOnce = 100;

/** Tries to open so many connections as fast as it can, and keeps those that are taken, saying nothing. */
export const connectionFlood: Attack = async (attacker, { connections, everyMs }) => {
  const tryOn = async (): Promise<void> => {
    while (attacker.seen.tried < connections && !attacker.stopped.aborted) {
      await attacker.connect();
      await attacker.pause(everyMs);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, connections) }, tryOn));
};
