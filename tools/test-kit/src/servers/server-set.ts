import type { ServerAddresses } from '@parley/local-stack';

/** The servers of one Parley at a time. */
export interface ServerSet {
  addresses: ServerAddresses;
  /** The settings of the files service that lead to its S3 server. */
  s3: Record<string, string>;
  /** The containers that they run in; absent where they are somebody else's. */
  containers?: Record<ServerKind, string>;
}

export type ServerKind = 'nats' | 'redis' | 'postgres';
export const serverKinds: readonly ServerKind[] = ['nats', 'redis', 'postgres'];

export const addressOf = { nats: 'natsUrl', redis: 'redisUrl', postgres: 'databaseUrl' } as const;

/** Where the processes of a test run ask for servers; not set: they start their own. */
export const serversUrlVariable = 'PARLEY_TEST_SERVERS_URL';

/** Where the sets of a test run come from. */
export interface ServerSource extends AsyncDisposable {
  /** A set that nobody else has; undefined where there is no more. */
  take(): Promise<ServerSet | undefined>;
  giveBack(set: ServerSet): void;
}
