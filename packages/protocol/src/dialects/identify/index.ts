import type { ParleyError } from '../../errors.ts';
import { camelCaseDetails, defineDialect, spelledDetails } from '../define-dialect.ts';
import { events } from './events.ts';
import type { Frame } from './frames.ts';
import { requests } from './requests.ts';

/** The dialect of seed 002: camelCase actions with their body in `payload`, guests, public rooms by name. */
export const identifyDialect = defineDialect({
  name: 'identify',
  tellsSenders: true,
  bodyField: 'payload',
  requests,
  events,
  errorFrame,
});

function errorFrame(error: ParleyError, action: string | undefined): Frame {
  return {
    action: 'error',
    payload: {
      reason: error.code,
      detail: error.message,
      originalAction: action ?? null,
      ...spelledDetails(error.details, camelCaseDetails),
    },
  };
}
