import { ParleyClientError } from '@parley/client';

/** What went wrong, in words for the user; the server's own say what to do about it. */
export function wordsOf(error: unknown): string {
  if (error instanceof ParleyClientError) return error.message;
  return 'Something went wrong in this page. Reload it and try again.';
}

/** Whether it ended because somebody wanted it to. */
export function isAborted(error: unknown): boolean {
  return error instanceof ParleyClientError && error.code === 'aborted';
}
