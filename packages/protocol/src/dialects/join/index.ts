import type { ParleyError } from '../../errors.ts';
import { camelCaseDetails, defineDialect, spelledDetails } from '../define-dialect.ts';
import { events } from './events.ts';
import type { Frame } from './frames.ts';
import { requests } from './requests.ts';

/** The dialect of seed 003, as far as it is spoken over WebSocket: kebab-case actions, flat bodies, public rooms by id. */
export const joinDialect = defineDialect({
  name: 'join',
  homePath: '/chat',
  tellsSenders: true,
  requests,
  events,
  errorFrame,
});

function errorFrame(error: ParleyError, action: string | undefined): Frame {
  return {
    action: 'error',
    code: error.code,
    message: error.message,
    originalAction: action ?? null,
    ...spelledDetails(error.details, camelCaseDetails),
  };
}
