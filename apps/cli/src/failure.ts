import { ParleyClientError } from '@parley/client';
import { LocalStackError } from '@parley/local-stack';
import { ParleyError } from '@parley/protocol/errors';
import { CliError, exitCodes } from './cli-error.ts';
import type { ExitCode } from './cli-error.ts';

/** How a command's failure is told. */
export interface Failure {
  exitCode: ExitCode;
  code: string;
  message: string;
}

/** Nobody did what was asked for, and later somebody may. */
const awayCodes: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'connection_lost']);

/** @throws The error itself where it is a mistake of ours. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CliError) return error;
  if (error instanceof ParleyClientError || error instanceof ParleyError) {
    const { code, message } = error;
    return { exitCode: awayCodes.has(code) ? exitCodes.unreachable : exitCodes.failed, code, message };
  }
  if (error instanceof LocalStackError) {
    return { exitCode: exitCodes.failed, code: 'failed', message: error.message };
  }
  throw error;
}
