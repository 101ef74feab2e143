/** Something the person at the keyboard can put right. Its message is for them: shown alone, without a stack trace. */
export class LocalStackError extends Error {
  override readonly name = 'LocalStackError';
}
