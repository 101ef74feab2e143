import { createClient } from '@parley/client';
import type { Client } from '@parley/client';
import { UnreachableError } from '../cli-error.ts';
import type { Identity } from './identity.ts';

/** Longest wait for the server to let somebody in, in ms. */
const openTimeoutMs = 15_000;
/** Longest that leaving may take, in ms: the server ends what is not ended in time. */
const closeTimeoutMs = 2_000;

/** Somebody who is logged in. Closing it logs out. */
export interface Session extends AsyncDisposable {
  client: Client;
}

/**
 * Logs in, after making the account where that is wanted.
 * @param ended Calls it off.
 * @throws UnreachableError as soon as the first connection fails; what the server says where it refuses.
 */
export async function openSession(url: string, identity: Identity, ended: AbortSignal): Promise<Session> {
  const client = createClient({ url });
  const failed = new AbortController();
  const watching = new AbortController();
  // The client would go on trying for ever, which is for later: who has just typed an address may have typed a wrong one.
  client.on(
    'state',
    (state) => {
      if (state.status === 'waiting') failed.abort(new UnreachableError(url));
    },
    { signal: watching.signal },
  );
  const late = setTimeout(() => {
    failed.abort(new UnreachableError(url));
  }, openTimeoutMs);
  const signal = AbortSignal.any([failed.signal, ended]);
  try {
    await enter(client, identity, signal);
  } catch (error) {
    await client.close();
    throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    clearTimeout(late);
    watching.abort();
  }
  return { client, [Symbol.asyncDispose]: () => leave(client) };
}

async function enter(client: Client, identity: Identity, signal: AbortSignal): Promise<void> {
  if (identity.type === 'guest') {
    await client.logInAsGuest(identity.name, { signal });
    return;
  }
  const { name, password, isNew } = identity;
  if (isNew) await client.register(name, password, { signal });
  await client.logIn(name, password, { signal });
}

/** Ends the session too: nobody will resume it, and the next login need not ask whether this one is alive. */
async function leave(client: Client): Promise<void> {
  if (client.state.status === 'online') {
    const signal = AbortSignal.timeout(closeTimeoutMs);
    await client.logOut({ signal }).catch(() => undefined);
  }
  await client.close();
}
