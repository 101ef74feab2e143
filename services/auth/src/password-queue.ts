import { availableParallelism } from 'node:os';
import { Gate } from './gate.ts';
import { passwordsRefused, passwordsWaiting } from './metrics.ts';
import { hashPassword, isPassword } from './passwords.ts';

/** Node computes on so many threads where nothing else is said (libuv's `UV_THREADPOOL_SIZE`). */
const threads = 4;

export interface PasswordQueueOptions {
  maxWaitingPasswords: number;
}

export type Passwords = ReturnType<typeof createPasswordQueue>;

/**
 * Hashing as much as the machine can do at once, and no more: it is slow on purpose, so that without a bound a flood of logins would
 * keep it busy with what nobody waits for any more. Deadlines are in ms since 1970.
 */
export function createPasswordQueue({ maxWaitingPasswords }: PasswordQueueOptions) {
  const gate = new Gate({
    atOnce: Math.min(threads, availableParallelism()),
    maxWaiting: maxWaitingPasswords,
    noticeWaiting: (waiting) => {
      passwordsWaiting.set(waiting);
    },
    noticeRefused: () => {
      passwordsRefused.inc();
    },
  });
  return {
    /** As `hashPassword`. @throws ParleyError `unavailable` where too many wait, or the deadline is over. */
    hash: (password: string, deadline: number): Promise<string> =>
      gate.run(deadline, () => hashPassword(password)),

    /** As `isPassword`. @throws ParleyError `unavailable` where too many wait, or the deadline is over. */
    isRight: (passwordHash: string | undefined, password: string, deadline: number): Promise<boolean> =>
      gate.run(deadline, () => isPassword(passwordHash, password)),
  };
}
