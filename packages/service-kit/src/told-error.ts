import { isErrorCode, ParleyError } from '@parley/protocol';
import type { ErrorCode, ErrorDetails } from '@parley/protocol';

/** An error as it travels between services: without its cause, which stays in the process. */
export interface ToldError {
  code: ErrorCode;
  message: string;
  details: ErrorDetails;
}

export function toldError({ code, message, details }: ParleyError): ToldError {
  return { code, message, details };
}

/** The error that a service told; what it calls by a name that is not known here is `internal`. */
export function errorTold({ code, message, details }: ToldError): ParleyError {
  return new ParleyError(isErrorCode(code) ? code : 'internal', details, { message });
}
