/** Most bytes of JSON in one page or list, so that its frame stays below the largest frame (1 MiB). */
export const maxPageBytes = 512 * 1_024;

/**
 * As many of the first items as fit a page, at least one.
 * @param maxBytes Bound on their JSON, in UTF-8 bytes.
 */
export function firstThatFit<Item>(items: readonly Item[], maxBytes: number = maxPageBytes): Item[] {
  const encoder = new TextEncoder();
  let bytes = 0;
  const end = items.findIndex((item) => {
    bytes += encoder.encode(JSON.stringify(item)).length;
    return bytes > maxBytes;
  });
  return items.slice(0, end === -1 ? items.length : Math.max(end, 1));
}
