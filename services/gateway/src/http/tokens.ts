import type { IncomingMessage } from 'node:http';

/**
 * The cookie that a login sets; it is honoured on WebSocket upgrades only, so that no other site can act for its owner. Browsers take
 * one of the secure name over TLS only, and from this very host: no neighbour in the domain can set it (RFC 6265bis, section 4.1.3.2).
 */
const cookieName = 'parley_token';
const secureCookieName = `__Host-${cookieName}`;
const cookieAttributes = 'HttpOnly; SameSite=Strict; Path=/';

/** The token of an `Authorization: Bearer TOKEN` header (RFC 6750), whether it is good or not. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const match = /^Bearer(?:\s+(.*))?$/i.exec(authorization ?? '');
  return match ? (match[1] ?? '') : undefined;
}

/** A token as it came with an upgrade request. */
export interface UpgradeToken {
  token: string;
  /** It was given for this connection. A cookie is sent by the browser on its own, so a bad one is no error. */
  isExplicit: boolean;
}

/** The token of an upgrade request: of its `Authorization` header, else of `?token=`, else of the cookie. */
export function upgradeToken({
  headers,
  url,
}: Pick<IncomingMessage, 'headers' | 'url'>): UpgradeToken | undefined {
  const explicit = bearerToken(headers.authorization) ?? queryToken(url);
  if (explicit !== undefined) return { token: explicit, isExplicit: true };
  const token = cookieToken(headers.cookie);
  return token === undefined ? undefined : { token, isExplicit: false };
}

/** The value of a `Set-Cookie` header that has the browser keep the token until it is closed. */
export function tokenCookie(token: string, isSecure: boolean): string {
  return isSecure
    ? `${secureCookieName}=${token}; ${cookieAttributes}; Secure`
    : `${cookieName}=${token}; ${cookieAttributes}`;
}

/** The value of a `Set-Cookie` header that has the browser forget the token. */
export function clearedTokenCookie(isSecure: boolean): string {
  return `${tokenCookie('', isSecure)}; Max-Age=0`;
}

function queryToken(url: string | undefined): string | undefined {
  const query = url?.split('?', 2)[1];
  return new URLSearchParams(query).get('token') ?? undefined;
}

function cookieToken(cookies: string | undefined): string | undefined {
  const pairs = (cookies ?? '').split(';').map((each) => each.trim());
  return valueOf(pairs, secureCookieName) ?? valueOf(pairs, cookieName);
}

function valueOf(pairs: readonly string[], name: string): string | undefined {
  const prefix = `${name}=`;
  return pairs.find((each) => each.startsWith(prefix))?.slice(prefix.length) || undefined;
}
