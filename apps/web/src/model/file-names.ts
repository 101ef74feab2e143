/** Longest name of a file, in bytes of UTF-8. */
const maxNameBytes = 255;

/** The name, or one with a number that nobody has: `plan.pdf`, `plan (2).pdf`. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.');
  const end = dot > 0 ? dot : name.length;
  const extension = name.slice(end);
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? extension : ` (${number})${extension}`;
    const candidate = shortened(name.slice(0, end), maxNameBytes - bytesOf(suffix)) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
}

/** Pasted pictures are all called `image.png`; their time tells them apart. */
export function pastedName(file: { name: string }, at: Date): string {
  const extension = file.name.includes('.') ? file.name.slice(file.name.lastIndexOf('.')) : '';
  const [date = '', time = ''] = at.toISOString().slice(0, 19).split('T');
  return `pasted ${date} ${time.replaceAll(':', '.')}${extension}`;
}

function shortened(text: string, maxBytes: number): string {
  const characters = Array.from(text);
  while (bytesOf(characters.join('')) > maxBytes) characters.pop();
  return characters.join('');
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
