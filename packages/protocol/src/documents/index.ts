import { identifyDescription } from '../dialects/identify/description.ts';
import { joinDescription } from '../dialects/join/description.ts';
import { loginDescription } from '../dialects/login/description.ts';
import type { DialectDescription } from './description.ts';

export { asyncApiOf, commonErrors } from './async-api.ts';
export type { AsyncApi, AsyncApiMessage, AsyncApiOperation } from './async-api.ts';
export type { DialectDescription } from './description.ts';
export type { JsonSchema } from './json-schema.ts';

/** All dialects, for those who write their clients. */
export const descriptions: readonly DialectDescription[] = [
  loginDescription,
  identifyDescription,
  joinDescription,
];
