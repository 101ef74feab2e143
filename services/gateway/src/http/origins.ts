/**
 * Whether a page of that origin may use us, over HTTP and by WebSocket. What sends no origin is no page; a page of our own
 * host may always.
 * @param origin The `Origin` header, such as `https://chat.example.org`.
 * @param host The `Host` header.
 * @param allowed The other origins, spelled as browsers send them; `*` stands for all.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  return isSameHost(origin, host) || allowed.includes(origin) || allowed.includes('*');
}

/** The scheme may differ: a proxy in front may be the one that speaks TLS. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || host === '') return false;
  const page = URL.parse(origin);
  // Read with the page's scheme, so that its default port may be named or not.
  return page !== null && page.host !== '' && page.host === URL.parse(`${page.protocol}//${host}`)?.host;
}
