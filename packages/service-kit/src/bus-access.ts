import { credsAuthenticator } from '@nats-io/nats-core';
import type { NodeConnectionOptions } from '@nats-io/transport-node';

/** Where the bus is and who we are there: what `busSettings` reads. Certificates and keys in PEM. */
export interface BusAccess {
  /** Of a cluster several, separated by commas; with `user:password@` or `token@` in the first. `tls://` is for TLS only. */
  natsUrl: string;
  /** The contents of a `.creds` file. */
  natsCredentials?: string | undefined;
  /** Who vouches for the server, where the system does not know it. */
  natsCa?: string | undefined;
  natsCertificate?: string | undefined;
  natsKey?: string | undefined;
}

/** What the NATS client needs to know of it: it takes neither users nor TLS from URLs. */
export function connectionOptions(access: BusAccess): NodeConnectionOptions {
  const urls = access.natsUrl.split(',').map((each) => new URL(each));
  return { servers: urls.map(withoutUser), ...userOf(urls[0]!, access), ...tlsOf(urls, access) };
}

function withoutUser(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

function userOf(url: URL, { natsCredentials }: BusAccess): NodeConnectionOptions {
  if (natsCredentials !== undefined) {
    return { authenticator: credsAuthenticator(Buffer.from(`${natsCredentials}\n`)) };
  }
  if (url.username === '') return {};
  const user = decodeURIComponent(url.username);
  return url.password === '' ? { token: user } : { user, pass: decodeURIComponent(url.password) };
}

/**
 * Without any of it, TLS is spoken where the server asks for it. With any, nothing else is: whoever stands in between could
 * otherwise say that the server does not.
 */
function tlsOf(urls: readonly URL[], access: BusAccess): NodeConnectionOptions {
  const { natsCa: ca, natsCertificate: cert, natsKey: key } = access;
  const isAskedFor = urls.some(({ protocol }) => protocol === 'tls:') || Boolean(ca ?? cert);
  return isAskedFor ? { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } } : {};
}
