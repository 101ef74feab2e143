/** What a server makes anew each time: ids, times and keys. */
const made = [
  /room_[0-9a-f]{24}/,
  /exchange_[0-9a-f]{24}/,
  /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/,
  /(?<![\w-])[\w-]{43}(?![\w-])/,
];
const anyMade = new RegExp(made.map(({ source }) => source).join('|'), 'g');

/** Knows what a running server made in the place of each id, time and key that a guide shows. */
export class Bindings {
  readonly #actual = new Map<string, string>();

  /** The guide's text with what the server made; what it has not made stays as it is. */
  resolve(told: string): string {
    return told.replaceAll(anyMade, (token) => this.#actual.get(token) ?? token);
  }

  /** Learns what the server made from two texts that are the same but for that. */
  learn(told: string, actual: string): void {
    if (masked(told) !== masked(actual)) return;
    const tokens = actual.match(anyMade) ?? [];
    for (const [index, token] of (told.match(anyMade) ?? []).entries()) {
      if (!this.#actual.has(token)) this.#actual.set(token, tokens[index]!);
    }
  }
}

function masked(text: string): string {
  return text.replaceAll(anyMade, (token) => String(made.findIndex((kind) => kind.test(token))));
}
