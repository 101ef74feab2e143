/**
 * The fewest of the items, in their order, that still fail: parts of the list are left out, ever smaller ones (delta debugging,
 * Zeller and Hildebrandt 2002).
 * @param items They fail together.
 * @param fails Whether these fail. Asked again and again.
 * @param deadline In ms since 1970: what is known by then has to do.
 */
export async function minimised<Item>(
  items: readonly Item[],
  fails: (items: readonly Item[]) => Promise<boolean>,
  deadline: number,
): Promise<readonly Item[]> {
  let least = items;
  let size = Math.ceil(items.length / 2);
  while (least.length > 1 && Date.now() < deadline) {
    const smaller = await withoutOnePart(least, size, fails, deadline);
    if (smaller) {
      least = smaller;
      size = Math.min(size, Math.ceil(least.length / 2));
    } else if (size === 1) {
      break;
    } else {
      size = Math.ceil(size / 2);
    }
  }
  return least;
}

async function withoutOnePart<Item>(
  items: readonly Item[],
  size: number,
  fails: (items: readonly Item[]) => Promise<boolean>,
  deadline: number,
): Promise<readonly Item[] | undefined> {
  // What came last is most often what it takes.
  for (let start = 0; start < items.length && Date.now() < deadline; start += size) {
    const rest = [...items.slice(0, start), ...items.slice(start + size)];
    if (rest.length > 0 && (await fails(rest))) return rest;
  }
  return undefined;
}
