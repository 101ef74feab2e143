import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AttackName, Force, Sightings, Target } from '@parley/test-kit/attacks';

/** What is done to whom, and how hard. */
export interface AttackPlan {
  name: AttackName;
  target: Target;
  force: Force;
}

export type AttackOrder = AttackPlan | 'stop';

/** An attacker in its own process; disposing of it ends the attack, if it goes on still. */
export interface AttackProcess extends AsyncDisposable {
  readonly pid: number;
  /** Ends the attack; resolves with what it saw, when it is over. @throws Error where the attacker has failed. */
  stop(): Promise<Sightings>;
}

/** Resolves when it has begun. @param abort Kills it. */
export async function startAttackProcess(plan: AttackPlan, abort: AbortSignal): Promise<AttackProcess> {
  abort.throwIfAborted();
  const child = fork(fileURLToPath(new URL('attack-worker.ts', import.meta.url)));
  const exited = new Promise<number | string | null>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? code);
    });
  });
  const kill = (): void => void child.kill('SIGKILL');
  abort.addEventListener('abort', kill);
  await once(child, 'spawn');
  child.send(plan satisfies AttackOrder);

  async function end(): Promise<void> {
    abort.removeEventListener('abort', kill);
    kill();
    await exited;
  }

  return {
    pid: child.pid!,
    async stop() {
      const failed = exited.then((how) => {
        throw new Error(`the attacker ended with ${how}`);
      });
      child.send('stop' satisfies AttackOrder);
      const [seen] = (await Promise.race([once(child, 'message'), failed])) as [Sightings];
      await Promise.all([failed.catch(() => {}), end()]);
      return seen;
    },
    [Symbol.asyncDispose]: end,
  };
}
