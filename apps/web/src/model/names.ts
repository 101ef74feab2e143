/** How many colours there are for names; see `.hue-0` and the following in controls.css. */
const hues = 10;

/** A colour's number, the same for the same name wherever it is shown. */
export function hueOf(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % hues;
}

/** One or two letters: of the first two words, or the first of the only one. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== '');
  const initials = words.slice(0, 2).map((word) => String.fromCodePoint(word.codePointAt(0) ?? 0));
  return initials.join('').toLocaleUpperCase();
}
