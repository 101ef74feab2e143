/** A load that was too much once is tried again, as something else may have been in its way. */
const tries = 2;

/**
 * Finds the highest value that is still good, if what is too much stays so for higher ones: doubles (or halves) until it knows one of
 * each, then halves the distance between.
 * @param precision How close the two have to come, as a factor above 1.
 * @returns The highest that was good; 0 where none was, down to 1.
 */
export async function searchHighest(
  from: number,
  precision: number,
  isGood: (value: number) => Promise<boolean>,
): Promise<number> {
  const holds = async (value: number): Promise<boolean> => {
    for (let attempt = 0; attempt < tries; attempt += 1) if (await isGood(value)) return true;
    return false;
  };
  let good = 0;
  let bad = Infinity;
  for (let value = from; good === 0 || bad === Infinity;) {
    if (await holds(value)) good = value;
    else bad = value;
    if (bad <= 1) return 0;
    if (bad === Infinity) value = good * 2;
    else if (good === 0) value = Math.max(Math.floor(bad / 2), 1);
  }
  while (bad / good > precision && bad - good > 1) {
    const value = Math.round(Math.sqrt(good * bad));
    if (value <= good || value >= bad) break;
    if (await holds(value)) good = value;
    else bad = value;
  }
  return good;
}
