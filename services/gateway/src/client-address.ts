import type { IncomingMessage } from 'node:http';

const maxCharacters = 64;

/**
 * The client's address: the last one that no trusted proxy may have been told by the client itself.
 * @param trustedProxies How many proxies in front may be believed what `X-Forwarded-For` says.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const direct = request.socket.remoteAddress ?? '';
  if (trustedProxies === 0) return direct;
  const forwarded = String(request.headers['x-forwarded-for'] ?? '');
  const hops = [...forwarded.split(',').map((hop) => hop.trim()), direct].filter((hop) => hop !== '');
  return (hops.at(-1 - trustedProxies) ?? hops[0] ?? direct).slice(0, maxCharacters);
}

/** Whether the client's own connection is encrypted, here or at the proxy that it came to first. */
export function isSecure(request: IncomingMessage, trustedProxies: number): boolean {
  if ('encrypted' in request.socket) return true;
  return trustedProxies > 0 && request.headers['x-forwarded-proto'] === 'https';
}
