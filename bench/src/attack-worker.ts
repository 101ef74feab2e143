/** An attacker: a process of its own, so that its CPU time is not taken for that of what it attacks or what measures. */
import { startAttack, type RunningAttack } from '@parley/test-kit/attacks';
import type { AttackOrder } from './attack-process.ts';

let attack: RunningAttack | undefined;

process.on('message', (order: AttackOrder) => {
  if (order !== 'stop') {
    attack = startAttack(order.name, order.target, order.force);
    return;
  }
  // As it is now: what it sees while it ends is of its own making.
  process.send!(structuredClone(attack!.seen));
});
process.once('disconnect', () => process.exit());
// Ctrl-C reaches the whole terminal; whoever started us ends us.
process.on('SIGINT', () => {});
