import type { ErrorCode } from '@parley/protocol/errors';

/** What can go wrong on the client's side, beside what the server refuses. */
export type ClientErrorCode =
  /** The caller's signal ended the waiting. */
  | 'aborted'
  /** The client was closed, or logged out. */
  | 'closed'
  /** The session goes on in another connection. */
  | 'taken_over'
  /** The session is over; log in again. */
  | 'session_ended'
  /** No answer in time. Whether it was done is not known. */
  | 'timeout'
  /** The connection was lost before the answer came. Whether it was done is not known. */
  | 'connection_lost'
  /** Another file took the place of the one that is being downloaded. */
  | 'file_changed';

const texts: Record<ClientErrorCode, string> = {
  aborted: 'This was called off.',
  closed: 'The client is closed.',
  taken_over: 'The session goes on elsewhere.',
  session_ended: 'The session is over; log in again.',
  timeout: 'There was no answer in time; try again.',
  connection_lost: 'The connection was lost before the answer came; look whether it was done.',
  file_changed: 'The file was replaced meanwhile; download it anew.',
};

/** What the server tells beside the code of an error. */
export interface ErrorDetails {
  /** The offending field in the protocol's spelling. */
  field?: string;
  /** How long to wait before trying again, in ms. */
  retryAfterMs?: number;
  /** The user names that were not found. */
  users?: string[];
}

/** The one error of this package: the server's refusals and the client's own. */
export class ParleyClientError extends Error {
  override readonly name = 'ParleyClientError';
  readonly code: ErrorCode | ClientErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode | ClientErrorCode,
    options: { message?: string | undefined; details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(options.message ?? (texts as Partial<Record<string, string>>)[code] ?? code, {
      cause: options.cause,
    });
    this.code = code;
    this.details = options.details ?? {};
  }
}

export type { ErrorCode };
