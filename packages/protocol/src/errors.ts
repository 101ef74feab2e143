/** How an error code is told: its HTTP status, whether the same request may succeed later, and its words. */
export interface ErrorEntry {
  http: number;
  retry: boolean;
  /** Says what happened and what to do about it. */
  text: string;
}

/** Every error a client can meet, in any dialect (protocol.md, "Error codes and HTTP status"). */
export const errorCodes = {
  invalid_json: {
    http: 400,
    retry: false,
    text: 'The frame is not a JSON object; send one JSON object per frame.',
  },
  missing_field: { http: 400, retry: false, text: 'A required field is missing; add it.' },
  invalid_field: { http: 400, retry: false, text: 'A field has a wrong type or value; correct it.' },
  handshake_mismatch: {
    http: 400,
    retry: true,
    text: 'The character counts differ; send the request again.',
  },
  handshake_timeout: {
    http: 400,
    retry: true,
    text: 'The count was not confirmed in time; send the request again.',
  },
  not_authenticated: { http: 401, retry: false, text: 'You are not logged in; log in first.' },
  invalid_credentials: {
    http: 401,
    retry: false,
    text: 'Invalid credentials; check the user name and the password or session key.',
  },
  forbidden: { http: 403, retry: false, text: 'You are not allowed to do this.' },
  not_owner: { http: 403, retry: false, text: 'Only the owner of the room may do this; ask the owner.' },
  not_in_room: {
    http: 403,
    retry: false,
    text: 'You are not in this room; join it or ask its owner to add you.',
  },
  cannot_delete_default: {
    http: 403,
    retry: false,
    text: 'The room `default` always exists and cannot be deleted.',
  },
  unknown_action: {
    http: 404,
    retry: false,
    text: 'This action is not known here; check its name and dialect.',
  },
  user_not_found: { http: 404, retry: false, text: 'No such user here; check the name.' },
  room_not_found: { http: 404, retry: false, text: 'No such room; it may have been deleted.' },
  file_not_found: { http: 404, retry: false, text: 'No such file in this room; list its files.' },
  upload_not_found: { http: 404, retry: false, text: 'No such upload; begin it again.' },
  already_logged_in: {
    http: 409,
    retry: true,
    text: 'This user is already logged in; log out there first, or resume with the session key.',
  },
  room_exists: { http: 409, retry: false, text: 'A room with this name exists; choose another name.' },
  username_taken: { http: 409, retry: false, text: 'This name is taken; choose another name.' },
  chunks_missing: { http: 409, retry: true, text: 'Some chunks are missing; send them and finish again.' },
  too_large: { http: 413, retry: false, text: 'This is too large; send less at once.' },
  rate_limited: { http: 429, retry: true, text: 'Too many requests; wait and try again.' },
  internal: {
    http: 500,
    retry: true,
    text: 'Something went wrong on our side; try again, and tell the operator if it stays.',
  },
  unavailable: { http: 503, retry: true, text: 'Part of the service is away; try again in a moment.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCodes;

/** What an error tells beside its code; each dialect spells the keys its own way. */
export interface ErrorDetails {
  /** The offending field as the client spelled its path, e.g. `participants.1`. */
  field?: string;
  /** How long to wait before trying again, in ms. */
  retryAfterMs?: number;
  /** The exchange of the integrity handshake that the error ends. */
  transactionId?: string;
  /** The user names that were not found. */
  users?: string[];
  /** The file that it is about. */
  fileName?: string;
  /** The chunk that it is about. */
  sequence?: number;
  /** The chunks that are missing, as `[first, last]` in the client's numbering; of very many the first. */
  missing?: [number, number][];
}

/** The one error that services throw and clients are told. Anything else thrown is a bug and becomes `internal`. */
export class ParleyError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** @param options.message Replaces the code's own text where more can be said. */
  constructor(
    code: ErrorCode,
    details: ErrorDetails = {},
    options: { message?: string | undefined; cause?: unknown } = {},
  ) {
    super(options.message ?? errorCodes[code].text, { cause: options.cause });
    this.name = 'ParleyError';
    this.code = code;
    this.details = details;
  }

  get http(): number {
    return errorCodes[this.code].http;
  }

  /** The same error with further details. */
  with(details: ErrorDetails): ParleyError {
    return new ParleyError(
      this.code,
      { ...this.details, ...details },
      { message: this.message, cause: this.cause },
    );
  }

  /** The error itself, or `internal` with what was thrown as its cause, which never leaves the process. */
  static from(thrown: unknown): ParleyError {
    return thrown instanceof ParleyError ? thrown : new ParleyError('internal', {}, { cause: thrown });
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code);
}
