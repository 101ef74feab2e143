/**
 * The value of a `Link` header (RFC 8288) to the next page: relative to our host, so that it holds behind any proxy.
 * @param query What is asked for there.
 */
export function nextPage(path: string, query: Record<string, string | number>): string {
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return `<${path}?${text.toString()}>; rel="next"`;
}
