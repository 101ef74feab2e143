/** A whole key with its quotes. Within a string every quote follows a backslash, so that none is taken for a key there. */
const anyKey = /(?<=[{,]\s*)"[^"\\]*(?:\\.[^"\\]*)*"(?=\s*:)/g;

/**
 * `JSON.parse`, for text of others. By itself V8 takes an escaped key such as `"\n"` for the key `\` where an object of the
 * same form once had that one (https://github.com/nodejs/node/issues/63785): one client's letter frequencies would spoil
 * another's. So keys with escapes are parsed under other names and get their own afterwards.
 * @throws SyntaxError where the text is no JSON; RangeError where it has such keys and is nested too deeply.
 */
export function parseJson(text: string): unknown {
  if (!text.includes('\\')) return JSON.parse(text);
  const prefix = strangeTo(text);
  const keys = new Map<string, string>();
  const renamed = text.replaceAll(anyKey, (key) => {
    if (!key.includes('\\')) return key;
    const name = `${prefix}${keys.size}`;
    keys.set(name, JSON.parse(key) as string);
    return `"${name}"`;
  });
  if (keys.size === 0) return JSON.parse(text);
  return JSON.parse(renamed, (_key, value: unknown) => withOwnKeys(value, keys));
}

/** What does not occur in the text. It can't be foreseen, or a text full of it would keep us busy. */
function strangeTo(text: string): string {
  for (;;) {
    const candidate = `escaped ${crypto.getRandomValues(new Uint32Array(4)).join('-')} `;
    if (!text.includes(candidate)) return candidate;
  }
}

function withOwnKeys(value: unknown, keys: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (!entries.some(([name]) => keys.has(name))) return value;
  return Object.fromEntries(
    entries.map(([name, field]): [string, unknown] => [keys.get(name) ?? name, field]),
  );
}
