import { pino } from 'pino';
import type { Logger } from 'pino';

export type Log = Logger;

/** Keys that never reach the log, wherever a logged object has them at its first two levels. */
const secretKeys = ['password', 'sessionKey', 'session_key', 'token', 'authorization', 'cookie'];

/** JSON lines on stdout. */
export function createLog(service: string, level: string): Log {
  return pino({
    level,
    base: { service, pid: process.pid },
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
  });
}
