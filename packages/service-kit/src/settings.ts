/** One environment variable: what it means, and how its text becomes a value. */
export interface Setting<Value> {
  /** The environment variable's name. */
  readonly variable: string;
  /** The line of the documented table. */
  readonly doc: string;
  /** The text taken when the variable is not set or empty; undefined: it must be set. */
  readonly defaultText: string | undefined;
  /** @throws Error whose message says what was expected. */
  parse(text: string): Value;
}

export type Settings = Record<string, Setting<unknown>>;
export type ConfigOf<S extends Settings> = {
  [Name in keyof S]: S[Name] extends Setting<infer Value> ? Value : never;
};

/** Bad or missing settings, one clear line each. */
export class SettingsError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'SettingsError';
    this.lines = lines;
  }
}

/**
 * Reads every setting once.
 * @throws SettingsError naming every bad one. Values are not repeated where they may hold a secret.
 */
export function readSettings<S extends Settings>(
  settings: S,
  environment: Record<string, string | undefined>,
): ConfigOf<S> {
  const lines: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const given = environment[setting.variable];
    const text = given === undefined || given === '' ? setting.defaultText : given;
    try {
      if (text === undefined) throw new Error('it is required');
      config[name] = setting.parse(text);
    } catch (error) {
      lines.push(`${setting.variable}: ${(error as Error).message} (${setting.doc})`);
    }
  }
  if (lines.length > 0) throw new SettingsError(lines);
  return config as ConfigOf<S>;
}

/** A whole number of at least `min` (default 0). */
export function integer(
  variable: string,
  {
    doc,
    default: value,
    min = 0,
    max = Number.MAX_SAFE_INTEGER,
  }: { doc: string; default?: number; min?: number; max?: number },
): Setting<number> {
  return {
    variable,
    doc,
    defaultText: value?.toString(),
    parse(text) {
      const number = Number(text);
      if (/^\d+$/.test(text) && number >= min && number <= max) return number;
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new Error(`expected a whole number ${range}, got '${text}'`);
    },
  };
}

/** One of a few words. */
export function oneOf<Word extends string>(
  variable: string,
  words: readonly Word[],
  { doc, default: value }: { doc: string; default?: Word },
): Setting<Word> {
  return {
    variable,
    doc,
    defaultText: value,
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new Error(`expected one of ${words.join(', ')}, got '${text}'`);
      return word;
    },
  };
}

/** Any text, such as a host name. */
export function text(
  variable: string,
  { doc, default: value }: { doc: string; default?: string },
): Setting<string> {
  return { variable, doc, defaultText: value, parse: (given) => given };
}

/** Words separated by commas; spaces around them do not count. */
export function list(
  variable: string,
  { doc, default: value }: { doc: string; default?: string },
): Setting<string[]> {
  return {
    variable,
    doc,
    defaultText: value,
    parse: (given) =>
      given
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== ''),
  };
}

/** A URL with one of the given schemes. It may hold a password, so a bad one is never repeated. */
export function url(
  variable: string,
  schemes: readonly string[],
  { doc, default: value }: { doc: string; default?: string },
): Setting<string> {
  return {
    variable,
    doc,
    defaultText: value,
    parse(given) {
      const parsed = URL.parse(given);
      if (parsed && schemes.includes(parsed.protocol.slice(0, -1))) return given;
      throw new Error(`expected a URL like ${schemes[0] ?? ''}://host:port`);
    },
  };
}

/** One URL or several, separated by commas. */
export function urls(
  variable: string,
  schemes: readonly string[],
  { doc, default: value }: { doc: string; default?: string },
): Setting<string> {
  const one = url(variable, schemes, { doc });
  return {
    variable,
    doc,
    defaultText: value,
    parse: (given) =>
      given
        .split(',')
        .map((each) => one.parse(each))
        .join(','),
  };
}

/** What every process reads. */
export const commonSettings = {
  natsUrl: urls('NATS_URL', ['nats', 'tls', 'ws', 'wss'], {
    default: 'nats://127.0.0.1:4222',
    doc: 'The NATS server that carries the bus.',
  }),
  logLevel: oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    doc: 'The least severe log lines to write.',
  }),
  healthHost: text('HEALTH_HOST', { default: '0.0.0.0', doc: 'The address of the side port.' }),
  healthPort: integer('HEALTH_PORT', {
    default: 20_290,
    max: 65_535,
    doc: 'The side port with /livez, /readyz and /metrics.',
  }),
  requestTimeoutMs: integer('REQUEST_TIMEOUT_MS', {
    default: 5_000,
    min: 100,
    doc: 'Longest wait for any reply, in ms.',
  }),
  drainMs: integer('DRAIN_MS', {
    default: 10_000,
    doc: 'How long a process may finish what it has in hand after SIGTERM, in ms.',
  }),
};

/** For the services that keep something in Postgres. */
export const databaseSettings = {
  databaseUrl: url('DATABASE_URL', ['postgres', 'postgresql'], {
    doc: 'Postgres. Each service owns one schema, named like the service.',
  }),
  databaseConnections: integer('DATABASE_CONNECTIONS', {
    default: 10,
    min: 1,
    doc: 'Most Postgres connections of one process.',
  }),
};

/** For the services that keep something in Redis. */
export const redisSettings = {
  redisUrl: url('REDIS_URL', ['redis', 'rediss'], {
    default: 'redis://127.0.0.1:6379',
    doc: 'Redis (or Valkey), for sessions, presence and rate limits.',
  }),
};
