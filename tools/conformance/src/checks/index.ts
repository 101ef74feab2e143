import type { Check } from '../check.ts';
import { acrossChecks } from './across.ts';
import { fileChecks } from './files.ts';
import { handshakeChecks } from './handshake.ts';
import { identifyChecks } from './identify.ts';
import { joinChecks } from './join.ts';
import { messageChecks } from './messages.ts';
import { roomChecks } from './rooms.ts';
import { sessionChecks } from './sessions.ts';
import { transportChecks } from './transport.ts';

/** All there are, in the order in which they are run. */
export const checks: readonly Check[] = [
  ...transportChecks,
  ...sessionChecks,
  ...roomChecks,
  ...messageChecks,
  ...handshakeChecks,
  ...fileChecks,
  ...identifyChecks,
  ...joinChecks,
  ...acrossChecks,
];
