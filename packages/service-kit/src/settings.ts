import { readFileSync } from 'node:fs';

/** One environment variable: what it means, and how its text becomes a value. */
export interface Setting<Value> {
  /** The environment variable's name. */
  readonly variable: string;
  /** Whether its text may be in a file instead, whose path is in the variable of that name and `_FILE`. */
  readonly mayBeFile?: boolean;
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
 * Reads every setting once, and the files that settings are in.
 * @throws SettingsError naming every bad one. Values are not repeated where they may hold a secret.
 */
export function readSettings<S extends Settings>(
  settings: S,
  environment: Record<string, string | undefined>,
): ConfigOf<S> {
  const lines: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    try {
      const text = givenText(setting, environment) ?? setting.defaultText;
      if (text === undefined) throw new Error('it is required');
      config[name] = setting.parse(text);
    } catch (error) {
      lines.push(`${setting.variable}: ${(error as Error).message} (${setting.doc})`);
    }
  }
  if (lines.length > 0) throw new SettingsError(lines);
  return config as ConfigOf<S>;
}

/** What is given for the setting, in its variable or in a file; undefined where nothing is. */
function givenText(
  { variable, mayBeFile }: Setting<unknown>,
  environment: Record<string, string | undefined>,
): string | undefined {
  const text = environment[variable] || undefined;
  const file = mayBeFile ? environment[`${variable}_FILE`] || undefined : undefined;
  if (file === undefined) return text;
  if (text !== undefined) throw new Error(`it is given twice, also as ${variable}_FILE`);
  return textOf(file, `${variable}_FILE`);
}

/** @throws Error that does not repeat the path either, as it may be the secret itself, given in the wrong variable. */
function textOf(file: string, variable: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`the file of ${variable} can't be read: ${(error as NodeJS.ErrnoException).code ?? ''}`, {
      cause: error,
    });
  }
  if (text === '') throw new Error(`the file of ${variable} is empty`);
  return text;
}

/** The same setting, which may be in a file instead: for secrets, and what is a file anyway. */
export function orFile<Value>(setting: Setting<Value>): Setting<Value> {
  return { ...setting, mayBeFile: true };
}

/** The same setting, which may be left out, or set to `none`. */
export function optional<Value>(setting: Setting<Value>): Setting<Value | undefined> {
  return {
    ...setting,
    defaultText: 'none',
    parse: (given) => (given === 'none' ? undefined : setting.parse(given)),
  };
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

/** A number from 0 to 1. */
export function fraction(
  variable: string,
  { doc, default: value }: { doc: string; default?: number },
): Setting<number> {
  return {
    variable,
    doc,
    defaultText: value?.toString(),
    parse(text) {
      const number = Number(text);
      if (/^\d*\.?\d+$/.test(text) && number <= 1) return number;
      throw new Error(`expected a number from 0 to 1, got '${text}'`);
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

/** How the bus is reached. */
export const busSettings = {
  natsUrl: orFile(
    urls('NATS_URL', ['nats', 'tls'], {
      default: 'nats://127.0.0.1:4222',
      doc: 'The NATS server that carries the bus, or several of a cluster, separated by commas; with `user:password@` or `token@` where it asks for one. `tls://` is for TLS only.',
    }),
  ),
  natsCredentials: orFile(
    optional(
      text('NATS_CREDENTIALS', { doc: 'A user of NATS, as the contents of a `.creds` file. Secret.' }),
    ),
  ),
  natsCa: orFile(
    optional(
      text('NATS_CA', { doc: 'Who vouches for the NATS server, in PEM, where the system does not know it.' }),
    ),
  ),
  natsCertificate: orFile(
    optional(text('NATS_CERTIFICATE', { doc: 'Our certificate, in PEM, where NATS asks for one.' })),
  ),
  natsKey: orFile(optional(text('NATS_KEY', { doc: 'The key of `NATS_CERTIFICATE`, in PEM. Secret.' }))),
};

/** Where traces go. The names are those of OpenTelemetry. */
export const tracingSettings = {
  otlpEndpoint: optional(
    url('OTEL_EXPORTER_OTLP_ENDPOINT', ['http', 'https'], {
      doc: 'The collector that traces are sent to, by OTLP over HTTP; without it none are made.',
    }),
  ),
  tracesSampler: oneOf(
    'OTEL_TRACES_SAMPLER',
    [
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
      'always_on',
      'always_off',
      'traceidratio',
    ],
    {
      default: 'parentbased_always_on',
      doc: 'Which traces are made; with `parentbased_`, whoever sent a `traceparent` over HTTP has decided.',
    },
  ),
  tracesSamplerArg: fraction('OTEL_TRACES_SAMPLER_ARG', {
    default: 1,
    doc: 'Which part of the traces is made, from 0 to 1, where the sampler is a `traceidratio`.',
  }),
};

export type TracingConfig = ConfigOf<typeof tracingSettings>;

/** What every process reads. */
export const commonSettings = {
  ...busSettings,
  ...tracingSettings,
  logLevel: oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    doc: 'The least severe log lines to write.',
  }),
  healthHost: text('HEALTH_HOST', {
    default: '127.0.0.1',
    doc: 'The address of the side port, which asks for nothing: `0.0.0.0` in containers only, or behind a firewall.',
  }),
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
  databaseUrl: orFile(
    url('DATABASE_URL', ['postgres', 'postgresql'], {
      doc: 'Postgres. Each service owns one schema, named like the service.',
    }),
  ),
  databaseOwnerUrl: orFile(
    optional(
      url('DATABASE_OWNER_URL', ['postgres', 'postgresql'], {
        doc: 'Postgres, as the role that owns the schema and changes it at start. With it, the role of `DATABASE_URL` need not: it is granted what it needs of the schema.',
      }),
    ),
  ),
  databaseConnections: integer('DATABASE_CONNECTIONS', {
    default: 10,
    min: 1,
    doc: 'Most Postgres connections of one process.',
  }),
};

/** For the services that keep something in Redis. */
export const redisSettings = {
  redisUrl: orFile(
    url('REDIS_URL', ['redis', 'rediss'], {
      default: 'redis://127.0.0.1:6379',
      doc: 'Redis (or Valkey), for sessions, presence and rate limits; `rediss://` is for TLS.',
    }),
  ),
};
