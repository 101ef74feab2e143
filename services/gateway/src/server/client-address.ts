import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/** What a client needs of a request to be told from others. */
export type Requested = Pick<IncomingMessage, 'headers'> & {
  socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
};

/**
 * The client's address, as limits count it (`networkOf`): the last one that no trusted proxy may have been told by the
 * client itself.
 * @param trustedProxies How many proxies in front may be believed what `X-Forwarded-For` says.
 */
export function clientAddress({ headers, socket }: Requested, trustedProxies: number): string {
  const direct = socket.remoteAddress ?? '';
  if (trustedProxies === 0) return networkOf(direct) ?? direct;
  const forwarded = String(headers['x-forwarded-for'] ?? '');
  const hops = [...forwarded.split(',').map((hop) => hop.trim()), direct].filter((hop) => hop !== '');
  const client = hops.at(-1 - trustedProxies) ?? hops[0] ?? direct;
  // What is no address was written by no proxy: whoever it is has at least come from where it came.
  return networkOf(client) ?? networkOf(direct) ?? direct;
}

/** Whether the client's own connection is encrypted, here or at the proxy that it came to first. */
export function isSecure(request: IncomingMessage, trustedProxies: number): boolean {
  if ('encrypted' in request.socket) return true;
  return trustedProxies > 0 && request.headers['x-forwarded-proto'] === 'https';
}

/**
 * Whose address it is, as far as that can be seen: an IPv4 address is a client's, of an IPv6 address the first half is the
 * least that a site is given (RFC 6177), all of whose 2^64 addresses its owner may use in turn.
 * @param text With or without a port, as some proxies write it.
 * @returns As `192.0.2.1`, also where that was written as IPv6, or `2001:db8:1:2::/64`; undefined where it is no address.
 */
export function networkOf(text: string): string | undefined {
  const address = withoutPort(text);
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** `[2001:db8::1]:443`, `[2001:db8::1]` and `192.0.2.1:443` without what is around the address. */
function withoutPort(text: string): string {
  const { inner, v4 } = /^\[(?<inner>[^\]]*)\](?::\d+)?$|^(?<v4>[\d.]+):\d+$/.exec(text)?.groups ?? {};
  return inner ?? v4 ?? text;
}

/** The eight numbers of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [text = ''] = address.split('%', 1);
  const [head = [], tail] = text.split('::').map(numbersOf);
  if (tail === undefined) return head;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** An IPv4 address at the end is two of them. */
function numbersOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
