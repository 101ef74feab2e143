import { databaseSettings, integer, oneOf, redisSettings } from '@parley/service-kit';

export const settings = {
  ...databaseSettings,
  ...redisSettings,
  loginPolicy: oneOf('LOGIN_POLICY', ['single', 'takeover', 'multi'], {
    default: 'single',
    doc: 'A second login of a user in the login dialect: refused while the first answers, takes over, or stands beside it.',
  }),
  allowGuests: oneOf('ALLOW_GUESTS', ['true', 'false'], {
    default: 'true',
    doc: 'Whether people may come in without an account, as guests.',
  }),
  sessionMs: integer('SESSION_MS', {
    default: 30 * 60 * 1_000,
    min: 1_000,
    doc: 'How long a session lives after its last use, in ms.',
  }),
  sessionMaxMs: integer('SESSION_MAX_MS', {
    default: 30 * 24 * 60 * 60 * 1_000,
    min: 1_000,
    doc: 'How long a session lives at most, however it is used, in ms.',
  }),
  gatewayLeaseMs: integer('GATEWAY_LEASE_MS', {
    default: 15_000,
    min: 1_000,
    doc: 'How long the users of a gateway that fell silent count as connected, in ms.',
  }),
  rateLimits: oneOf('RATE_LIMITS', ['on', 'off'], {
    default: 'on',
    doc: 'Whether rates are limited; `off` is for tests and benches.',
  }),
  loginsPerAccount: integer('LOGINS_PER_ACCOUNT', {
    default: 10,
    min: 1,
    doc: 'Password logins a minute for one account, failures included: from all addresses together but those that it has logged in from within 30 days, each of which counts by itself.',
  }),
  failedLoginsPerAccount: integer('FAILED_LOGINS_PER_ACCOUNT', {
    default: 100,
    min: 1,
    doc: 'Failed password logins an hour for one account: from all addresses together but those that it has logged in from within 30 days, each of which counts by itself.',
  }),
  loginsPerAddress: integer('LOGINS_PER_ADDRESS', {
    default: 100,
    min: 1,
    doc: 'Logins a minute from one address.',
  }),
  registrationsPerAddress: integer('REGISTRATIONS_PER_ADDRESS', {
    default: 60,
    min: 1,
    doc: 'Registrations a minute from one address.',
  }),
  // As many as an address may have connections to a gateway: when it ends, all come back at once, and without a key each is new.
  guestsPerAddress: integer('GUESTS_PER_ADDRESS', {
    default: 200,
    min: 1,
    doc: 'New guests a minute from one address. Whoever comes back with its key and name within three minutes is not new.',
  }),
  maxWaitingPasswords: integer('MAX_WAITING_PASSWORDS', {
    default: 256,
    min: 1,
    doc: 'Most passwords that wait to be hashed or compared by one process; a request with one more is `unavailable` at once.',
  }),
};
