/** Something the person at the keyboard can put right. Its message is for them: shown alone, in one line. */
export class CliError extends Error {
  override readonly name = 'CliError';
}
