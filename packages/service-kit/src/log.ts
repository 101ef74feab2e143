import { pino } from 'pino';
import type { Logger } from 'pino';
import { logIdsInHand } from './context.ts';

export type Log = Logger;

/** Keys that never reach the log, wherever a logged object has them at its first two levels. */
const secretKeys = [
  'password',
  'passwordHash',
  'sessionKey',
  'session_key',
  'secretAccessKey',
  'token',
  'authorization',
  'cookie',
];

/** What a refused command of Redis was given: ids and names, and at a login the password. */
const commandArguments = ['err.command.args', 'err.cause.command.args'];

/** JSON lines on stdout; those that a request set off have its ids. */
export function createLog(service: string, level: string): Log {
  const options = {
    level,
    base: { service, pid: process.pid },
    mixin: logIdsInHand,
    redact: {
      paths: [...secretKeys.flatMap((key) => [key, `*.${key}`]), ...commandArguments],
      censor: '[redacted]',
    },
  };
  // Written at once: else what is said last may come before what was said just before, or die with the process.
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
