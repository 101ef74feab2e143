/** What the process ends with: nothing to report, refused or failed, not understood, nobody there. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Something the person at the keyboard can put right. Its message is for them: shown alone, in one line. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** For programs, in the JSON of the error. */
  readonly code: string;

  constructor(
    message: string,
    exitCode: ExitCode = exitCodes.failed,
    options: { code?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = exitCode;
    this.code = options.code ?? 'failed';
  }
}

/** What was typed can't be meant: the usage helps. */
export class UsageError extends CliError {
  constructor(message: string) {
    super(message, exitCodes.usage, { code: 'usage' });
  }
}

/** Nobody answers. */
export class UnreachableError extends CliError {
  constructor(url: string) {
    super(`Parley can't be reached at ${url}; is it running there?`, exitCodes.unreachable, {
      code: 'unreachable',
    });
  }
}
