import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Command } from '../command.ts';
import { readFrame } from '../frame.ts';
import { parseJson } from '../json.ts';
import { normalizeName } from '../text.ts';
import { matches } from '../validation.ts';
import { anyText, name, optional } from './arbitraries.ts';
import type { Bodies } from './arbitraries.ts';
import type { Dialect, JsonObject } from './dialect.ts';
import { completeRequest } from './frames.suite.ts';
import { identifyBodies } from './identify/arbitraries.ts';
import { identifyDialect } from './identify/index.ts';
import { requests as identifyRequests } from './identify/requests.ts';
import { defaultDialect, dialects } from './index.ts';
import { joinBodies } from './join/arbitraries.ts';
import { joinDialect } from './join/index.ts';
import { requests as joinRequests } from './join/requests.ts';
import { loginBodies } from './login/arbitraries.ts';
import { loginDialect } from './login/index.ts';
import { requests as loginRequests } from './login/requests.ts';

interface Spoken {
  name: string;
  dialect: Dialect;
  actions: string[];
  bodies: Bodies;
  bodyField: string | undefined;
  /** The fields that say who speaks, in the order in which they count. */
  speakerFields: string[];
  /** What there is to every error. */
  errorForm: (code: string) => object;
}

const nonEmpty = expect.stringMatching(/\S/);

const spoken: Spoken[] = [
  {
    name: 'login',
    dialect: loginDialect,
    actions: Object.keys(loginRequests),
    bodies: loginBodies,
    bodyField: 'data',
    speakerFields: ['chatid', 'chat_id'],
    errorForm: (code) => ({ action: 'error', status: 'error', code, message: nonEmpty }),
  },
  {
    name: 'identify',
    dialect: identifyDialect,
    actions: Object.keys(identifyRequests),
    bodies: identifyBodies,
    bodyField: 'payload',
    speakerFields: [],
    errorForm: (reason) => ({ action: 'error', payload: { reason, detail: nonEmpty } }),
  },
  {
    name: 'join',
    dialect: joinDialect,
    actions: Object.keys(joinRequests),
    bodies: joinBodies,
    bodyField: undefined,
    speakerFields: ['username'],
    errorForm: (code) => ({ action: 'error', code, message: nonEmpty }),
  },
];

describe('the dialects', () => {
  test('are all here', () => {
    expect(spoken.map(({ dialect }) => dialect)).toEqual(dialects);
    expect(dialects.map(({ name }) => name)).toEqual(spoken.map(({ name }) => name));
  });

  test('have no action in common, so that one tells them apart', () => {
    const actions = spoken.flatMap((each) => each.actions);
    expect(new Set(actions).size).toBe(actions.length);
    for (const { actions, dialect } of spoken) {
      for (const action of actions) {
        expect(dialects.filter((other) => other.recognises(action))).toEqual([dialect]);
      }
    }
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', ''])('none knows %p', (action) => {
    expect(dialects.filter((dialect) => dialect.recognises(action))).toEqual([]);
  });

  test.each([
    ['/chat', 'join'],
    ['/', 'login'],
    ['/ws', 'login'],
    ['/elsewhere', 'login'],
  ])('errors of a connection on %s are told as in %s', (path, expected) => {
    expect(defaultDialect(path).name).toBe(expected);
  });
});

const pairs = spoken.flatMap((one) =>
  spoken.filter((other) => other !== one).map((other) => ({ one, other })),
);

describe('the first known action', () => {
  test.each(pairs)('fixes $one.name, whose errors tell of actions of $other.name from then on', (pair) => {
    const { one, other } = pair;
    for (const action of one.actions) {
      const first = readFrame(JSON.stringify({ action }), undefined, other.dialect);
      expect(first).toMatchObject({ dialect: one.dialect, recognised: true, action });
      for (const foreign of other.actions) {
        const later = readFrame(JSON.stringify({ action: foreign }), first.dialect, other.dialect);
        expect(later).toMatchObject({ dialect: one.dialect, recognised: false, action: foreign });
        expect(JSON.parse(later.dialect.encodeError(later.error!, foreign))).toMatchObject(
          one.errorForm('unknown_action'),
        );
      }
    }
  });

  test.each(spoken)('is told wrong in $name before it is known, where that is spoken at first', (initial) => {
    for (const frame of ['{', '{}', '{"action":7}', '{"action":"dance"}']) {
      const read = readFrame(frame, undefined, initial.dialect);
      expect(read).toMatchObject({ dialect: initial.dialect, recognised: false });
      expect(JSON.parse(read.dialect.encodeError(read.error!, read.action))).toMatchObject(
        initial.errorForm(read.error!.code),
      );
    }
  });
});

const clientsFaults = ['invalid_json', 'missing_field', 'invalid_field', 'unknown_action'];

describe.each(spoken)('whatever is sent becomes a command or one clear error, in $name:', (parts) => {
  const { dialect, actions, bodies, bodyField, speakerFields } = parts;
  const action = fc.constantFrom(...actions);
  const fields = [...speakerFields, ...Object.values(bodies).flatMap((body) => Object.keys(body))];
  const field = fc.constantFrom(...new Set(fields), 'constructor', '__proto__');
  const anything = fc.oneof(anyText, fc.jsonValue(), fc.integer());
  const bodyOfAnything = bodyField === undefined ? fc.dictionary(anyText, anything) : fc.jsonValue();

  test.each<[string, fc.Arbitrary<string>]>([
    ['any text', anyText],
    ['any JSON', fc.json({ stringUnit: 'binary' })],
    ['any body for any action', frames(anyText, bodyOfAnything, bodyField)],
    ['any body for a known action', frames(action, bodyOfAnything, bodyField)],
    ['any values in known fields', frames(action, fc.dictionary(field, anything), bodyField)],
  ])('%s', (_what, texts) => {
    const before = fc.constantFrom(undefined, dialect);
    fc.assert(
      fc.property(texts, before, fc.constantFrom(...dialects), (text, fixed, initial) => {
        const read = readFrame(text, fixed, initial);
        if (read.command) {
          expect(matches(read.command.method.request, completeRequest(read.command))).toBe(true);
          return;
        }
        expect(clientsFaults).toContain(read.error.code);
        const expected = fixed ?? dialectOf(text) ?? initial;
        const told = JSON.parse(expected.encodeError(read.error, read.action));
        expect(JSON.parse(read.dialect.encodeError(read.error, read.action))).toEqual(told);
        const { errorForm } = spoken.find((each) => each.dialect === expected)!;
        expect(told).toMatchObject(errorForm(read.error.code));
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(spoken)('every well-formed request of $name is a valid command:', (parts) => {
  const { dialect, actions, bodies, bodyField, speakerFields } = parts;
  const speakers = Object.fromEntries(speakerFields.map((field) => [field, optional(name)]));

  test('arbitraries.ts has bodies for each', () => {
    expect(actions.filter((action) => !Object.hasOwn(bodies, action))).toEqual([]);
  });

  test.each(actions)('%s', (action) => {
    fc.assert(
      fc.property(fc.record({ ...speakers, ...bodies[action] }), (body: JsonObject) => {
        const read = readFrame(toFrame(action, body, bodyField), undefined, loginDialect);
        expect(read).toMatchObject({ dialect, recognised: true, action });
        const command = read.command!;
        expect(matches(command.method.request, completeRequest(command))).toBe(true);
        const claimed = speakerFields.map((field) => body[field]).find((said) => said !== undefined);
        expect(command.claimedName).toBe(
          claimed === undefined ? undefined : normalizeName(claimed as string),
        );
      }),
    );
  });
});

test.each<[string, (written: string) => object, (command: Command) => unknown]>([
  [
    'a room made in login',
    (room_name) => ({ action: 'create_room', data: { participants: [], room_name } }),
    ({ request }) => (request as { name: string }).name,
  ],
  [
    'a room made in identify',
    (room) => ({ action: 'createRoom', payload: { room } }),
    ({ request }) => (request as { name: string }).name,
  ],
  [
    'a room joined in identify',
    (room) => ({ action: 'joinRoom', payload: { room } }),
    ({ roomName }) => roomName,
  ],
  [
    'a user of identify',
    (username) => ({ action: 'identify', payload: { username } }),
    ({ request }) => (request as { name: string }).name,
  ],
  [
    'a user of join',
    (username) => ({ action: 'join', username, roomId: 'r' }),
    ({ claimedName }) => claimedName,
  ],
])('the name of %s is the same however it is composed and padded', (_whose, frameOf, nameOf) => {
  const read = (written: string) =>
    readFrame(JSON.stringify(frameOf(written)), undefined, loginDialect).command!;
  fc.assert(
    fc.property(name, (written) => {
      expect(nameOf(read(written))).toBe(normalizeName(written));
      expect(read(` ${written.normalize('NFD')} `)).toEqual(read(written));
    }),
  );
});

/** Frames of an action and a body, wherever the dialect has it. */
function frames(
  action: fc.Arbitrary<string>,
  body: fc.Arbitrary<unknown>,
  bodyField: string | undefined,
): fc.Arbitrary<string> {
  return fc.tuple(action, body).map(([name, fields]) => toFrame(name, fields, bodyField));
}

function toFrame(action: string, body: unknown, bodyField: string | undefined): string {
  const fields = bodyField === undefined ? (body as JsonObject) : { [bodyField]: body };
  return JSON.stringify({ ...fields, action });
}

/** Whose action the text asks for, if it asks for a known one. */
function dialectOf(text: string): Dialect | undefined {
  let frame: unknown;
  try {
    frame = parseJson(text);
  } catch {
    return undefined;
  }
  const action = (frame as { action?: unknown } | null)?.action;
  return typeof action === 'string' ? dialects.find((dialect) => dialect.recognises(action)) : undefined;
}
