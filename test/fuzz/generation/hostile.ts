import type { SeededRandom } from '../../faults/random.ts';

/** Values that are wrong nearly everywhere, or at the edge of what is right. */
export const hostileValues: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1, 1.5, -1e-7, 1e21, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53)],
  ...[
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    '\udc00\ud800',
    '\ufeff',
    '\u202e',
    '\u2028',
    'e\u0301',
    '👩‍👩‍👧‍👦',
    '\x7f',
    '\t',
  ],
  ...[
    '..',
    '.',
    '/',
    '../../etc/passwd',
    '\\',
    '%00',
    '%2e%2e',
    '*',
    '>',
    'a.b',
    '$',
    "'",
    "' or 1=1 --",
    '"',
    '\r\n',
  ],
  ...['__proto__', 'constructor', 'toString', 'everywhere', 'default', 'undefined', 'NaN', '0', '-1', '1e3'],
  ...[
    'room_000000000000000000000000',
    'room_ffffffffffffffffffffffff',
    'guest_0',
    'user_*',
    'room_000000000000000000000000.1',
  ],
  ...[
    '2026-01-01T00:00:00Z',
    '2026-13-45T99:99:99Z',
    '0000-00-00',
    '+275760-09-13T00:00:00.000Z',
    '2026-01-01',
  ],
  ...[
    'x'.repeat(64),
    'x'.repeat(65),
    '😀'.repeat(64),
    'x'.repeat(257),
    'x'.repeat(8_193),
    '\u0300'.repeat(600),
  ],
  ...['====', 'AA=', 'A', 'Zm9v', 'Zm9v\n', '-_-_', 'f'.repeat(64), 'F'.repeat(64)],
  ...[
    [],
    [[]],
    [null],
    {},
    { a: {} },
    { length: 1e9 },
    { toString: 1 },
    { then: 1 },
    { constructor: { prototype: 1 } },
  ],
  ...[
    Array.from({ length: 1_200 }, () => 'x'),
    Array.from({ length: 40 }, (_, index) => ({ [index]: index })),
  ],
  JSON.parse('{"__proto__":{"isAdmin":true}}'),
];

/** Parts of a text that is no JSON any more, or other JSON than it was. */
const fragments = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '\\"',
    '\\u',
    '\\ud800',
    '\\u0000',
    '\\u005f',
    '\\n',
    '/**/',
    '//',
    '\n',
    '\r\n',
  ],
  ...[
    '\0',
    '\ufeff',
    '\u2028',
    '\ud83d\ude00',
    'null',
    'true',
    'NaN',
    'Infinity',
    '-0',
    '01',
    '1e999',
    '-1e999',
    '0x10',
    '1.',
    '.5',
  ],
  ...[
    '{}',
    '[]',
    '""',
    '"action":',
    '"action":"login",',
    '"data":',
    '"data":{},',
    '"__proto__":{},',
    '"a":1,',
    '{"a":',
    '9'.repeat(40),
  ],
  ...['escaped 0', '"escaped 1 0":1,', '"\\n":1,', '"\\\\":1,', "'", '\u0000', '�', '%', '\x1b[2J'],
];

const mostCut = 40;

/** The text with one thing changed: something cut out, put in, doubled, moved to the end, or exchanged. */
export function mutatedText(text: string, random: SeededRandom): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.below(mostCut));
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + random.pick(fragments) + text.slice(at);
    case 2:
      return text.slice(0, end) + text.slice(at);
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(0, at) + random.pick(fragments) + text.slice(end);
    default:
      return text.slice(0, at) + String.fromCharCode(random.below(0x180)) + text.slice(at + 1);
  }
}

/** The object with one thing changed: a field gone, wrong, of a strange name, in a list, deeper, or in another's place. */
export function mutatedObject(object: object, random: SeededRandom): object {
  const entries = Object.entries(object) as [string, unknown][];
  const name = entries.length > 0 ? random.pick(entries)[0] : 'a';
  const set = (value: unknown): object => ({ ...object, [name]: value });
  switch (random.below(7)) {
    case 0:
      return Object.fromEntries(entries.filter(([key]) => key !== name));
    case 1:
      return { ...object, ...Object.fromEntries([[hostileName(random), random.pick(hostileValues)]]) };
    case 2:
      return set([(object as Record<string, unknown>)[name]]);
    case 3:
      return set({ [name]: (object as Record<string, unknown>)[name] });
    case 4:
      return entries.length > 0 ? set(random.pick(entries)[1]) : set(0);
    default:
      return set(random.pick(hostileValues));
  }
}

function hostileName(random: SeededRandom): string {
  const value = random.pick(hostileValues);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Characters of all kinds, some of them those of JSON. */
export function anyText(random: SeededRandom): string {
  return Array.from({ length: random.below(60) }, () =>
    random.isTrue(0.5) ? random.pick(fragments) : String.fromCodePoint(1 + random.below(0xd7ff)),
  ).join('');
}
