import type { Client } from '@parley/client';
import type { ArgumentsCamelCase } from 'yargs';
import { UnreachableError } from './cli-error.ts';
import { readClientOptions } from './options.ts';
import type { ClientOptions } from './options.ts';
import { openSession } from './sign-in/session.ts';

/** How long a command that has something to do waits for a lost connection to be back, in ms. */
const awayMs = 30_000;

/**
 * Does something as the user of the options, and logs out. Work that a lost connection interrupts goes on when it is back.
 * @param work Its signal ends it: the person did, or the connection stays away.
 */
export async function withSession(
  options: ArgumentsCamelCase<ClientOptions>,
  work: (client: Client, signal: AbortSignal) => Promise<void>,
  { patienceMs = awayMs }: { patienceMs?: number } = {},
): Promise<void> {
  const { url, identity } = await readClientOptions(options);
  const ended = new AbortController();
  const end = () => {
    ended.abort();
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    await using session = await openSession(url, identity, ended.signal);
    const stopWatching = watchConnection(session.client, patienceMs, () => {
      ended.abort(new UnreachableError(url));
    });
    try {
      await work(session.client, ended.signal);
    } finally {
      stopWatching();
    }
  } catch (error) {
    throw ended.signal.reason instanceof UnreachableError ? ended.signal.reason : error;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** Tells once the connection has been away for so long. */
function watchConnection(client: Client, patienceMs: number, onGone: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const unsubscribe = client.on('state', (state) => {
    if (state.status === 'online') {
      clearTimeout(timer);
      timer = undefined;
    } else if (state.status === 'waiting' && Number.isFinite(patienceMs)) {
      timer ??= setTimeout(onGone, patienceMs);
    }
  });
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}
