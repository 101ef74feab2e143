import { metrics } from '@parley/service-kit';
import { Counter, Gauge } from 'prom-client';

const registers = [metrics];

/** `outcome`: see `LoginOutcome`. */
export const logins = new Counter({
  name: 'parley_auth_logins_total',
  help: 'Logins and resumed sessions of accounts, by what became of them.',
  labelNames: ['outcome'] as const,
  registers,
});

export const passwordsWaiting = new Gauge({
  name: 'parley_auth_password_queue',
  help: 'Passwords that wait to be hashed or compared.',
  registers,
});

export const passwordsRefused = new Counter({
  name: 'parley_auth_passwords_refused_total',
  help: 'Passwords that were not looked at, because too many waited or nobody waited for the answer any more.',
  registers,
});
