/** How many connections are opened at the same time, where nothing else is asked for. */
export const opensAtOnce = 50;

/** Does the work for each item, for so many of them at a time, and begins them in their order. */
export async function eachAtOnce<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  async function takeTurns(): Promise<void> {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await work(next.value);
  }
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
}
