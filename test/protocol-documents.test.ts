import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';
import { describe, expect, test } from '@jest/globals';
import { closeCodes, dialects, errorCodes, ParleyError, version } from '@parley/protocol';
import type { ErrorCode } from '@parley/protocol';
import { asyncApiOf, descriptions } from '@parley/protocol/documents';
import type { AsyncApi, JsonSchema } from '@parley/protocol/documents';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import type { DialectFixtures, FrameFixture } from '../packages/protocol/src/dialects/fixtures.ts';
import { commandOf, written } from '../packages/protocol/src/dialects/frames.suite.ts';
import { identifyFixtures } from '../packages/protocol/src/dialects/identify/frames.fixtures.ts';
import { joinFixtures } from '../packages/protocol/src/dialects/join/frames.fixtures.ts';
import { loginFixtures } from '../packages/protocol/src/dialects/login/frames.fixtures.ts';
import { closeCodes as closedWith } from '../services/gateway/src/connection/connection.ts';
import { folder, protocolFiles } from '../tools/protocol-docs/files.ts';

const fixturesOf: Record<string, DialectFixtures> = {
  login: loginFixtures,
  identify: identifyFixtures,
  join: joinFixtures,
};

const described = descriptions.map((description) => ({
  name: description.dialect.name,
  description,
  document: asyncApiOf(description),
  fixtures: fixturesOf[description.dialect.name]!,
}));

test('every dialect has a document', () => {
  expect(described.map(({ description }) => description.dialect)).toEqual(dialects);
});

test('what docs/protocol says of the code is what the code says (npm run docs writes it)', async () => {
  for (const [name, content] of await protocolFiles()) {
    expect({ name, content: await readFile(`${folder}${name}`, 'utf8') }).toEqual({ name, content });
  }
});

test('the documents have the version of the package', async () => {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  expect((JSON.parse(manifest) as { version: string }).version).toBe(version);
  for (const { document } of described) expect(document.info.version).toBe(version);
});

test('the close codes of the documents are those that connections are closed with', () => {
  // The WebSocket library closes with 1009 by itself.
  const codes = [...Object.values(closedWith), 1009].map(String).sort();
  expect(Object.keys(closeCodes).sort()).toEqual(codes);
});

test.each(Object.entries(closeCodes))('%s stands in protocol.md as in the documents', async (code, told) => {
  const page = await readFile(new URL('../docs/protocol.md', import.meta.url), 'utf8');
  expect(page).toContain(`| ${code} | ${told.meaning} | ${told.action} |`);
});

describe.each(described)('the AsyncAPI document of $name', ({ description, document, fixtures }) => {
  const { dialect, requests, bodyField } = description;

  test('is valid AsyncAPI 3.0', async () => {
    const diagnostics = await new Parser().validate(JSON.stringify(document));
    // That there is a later version of AsyncAPI is no fault.
    expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
    expect(document.asyncapi).toBe('3.0.0');
  });

  test('has every request', () => {
    const actions = Object.values(document.operations)
      .filter(({ action }) => action === 'receive')
      .map(({ messages }) => actionsOf(messages)[0]);
    expect(actions.sort()).toEqual(Object.keys(requests).sort());
  });

  test('has examples of requests that are understood', () => {
    for (const action of Object.keys(requests)) {
      const [example] = document.components.messages[`client.${action}`]!.examples;
      expect(() => dialect.decode(example!.payload as Frame)).not.toThrow();
      expectMatch(document, 'client', example!.payload);
    }
  });

  test('has examples of frames that are as it says', () => {
    for (const [key, { examples }] of Object.entries(document.components.messages)) {
      if (key.startsWith('server.')) expectMatch(document, 'server', examples[0]!.payload);
    }
  });

  test('has every way to ask', () => {
    for (const { frame } of fixtures.requests) expectMatch(document, 'client', frame);
  });

  test('has every reply, and says what it answers', () => {
    for (const fixture of fixtures.replies) {
      const frame = frameOf(fixture, bodyField);
      expectMatch(document, 'server', frame);
      expect(answersTo(document, fixture.action)).toContain(frame.action);
    }
  });

  test('has every notification, and says that it comes unasked', () => {
    const told = fixtures.events.flatMap(({ then, ...first }) => [first, ...(then ? [then] : [])]);
    const frames = told.map((fixture) => frameOf(fixture, bodyField));
    for (const frame of frames) expectMatch(document, 'server', frame);
    const sent = Object.values(document.operations).filter(({ action }) => action === 'send');
    const counted = dialect.handshake ? ['character_count'] : [];
    expect(sent.flatMap(({ messages }) => actionsOf(messages)).sort()).toEqual(
      [...new Set([...frames.map(({ action }) => action), ...counted])].sort(),
    );
  });

  test('has every error', () => {
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const error = new ParleyError(code, { field: 'room', retryAfterMs: 250 });
      for (const action of ['dance', undefined]) {
        expectMatch(document, 'server', JSON.parse(dialect.encodeError(error, action)));
      }
    }
  });

  test('has no field in its frames that none of them ever has', () => {
    const frames = [
      ...fixtures.replies.map((fixture) => frameOf(fixture, bodyField)),
      ...fixtures.events.flatMap(({ then, ...first }) =>
        [first, ...(then ? [then] : [])].map((fixture) => frameOf(fixture, bodyField)),
      ),
      ...furtherFrames(dialect.name, fixtures),
      ...['login', 'dance'].flatMap((action) => [
        JSON.parse(dialect.encodeError(everyDetail, action)) as Frame,
        JSON.parse(dialect.encodeError(wrongPassword, action)) as Frame,
      ]),
    ];
    for (const [key, { payload }] of Object.entries(document.components.messages)) {
      if (!key.startsWith('server.')) continue;
      const action = key.slice('server.'.length);
      const seen = new Set(
        frames.filter((frame) => frame.action === action).flatMap((frame) => pathsOf(frame)),
      );
      const unseen = schemaPaths(payload).filter((path) => !seen.has(path));
      expect({ action, unseen }).toEqual({ action, unseen: [] });
    }
  });
});

test('the file of the examples is what they say of it', () => {
  const { payload } = described[0]!.document.components.messages['client.file_send_data']!.examples[0]!;
  const bytes = Buffer.from((payload as Frame)['data'].file_data, 'base64');
  const { payload: told } = described[0]!.document.components.messages['server.receive_file']!.examples[0]!;
  expect((told as Frame)['data']).toMatchObject({
    file_size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
});

interface Frame {
  action: string;
  // Each test knows which fields its frame has.
  [field: string]: any;
}

const everyDetail = new ParleyError('rate_limited', {
  field: 'room',
  retryAfterMs: 250,
  transactionId: 'exchange_000000000000000000000000',
  users: ['zoë'],
  fileName: 'notes.txt',
  sequence: 1,
  missing: [[1, 2]],
});
const wrongPassword = new ParleyError('invalid_credentials', {
  transactionId: 'exchange_000000000000000000000000',
});

/** What the server sends of the login dialect beside replies, notifications and errors. */
function furtherFrames(name: string, fixtures: DialectFixtures): Frame[] {
  const { dialect } = descriptions.find((each) => each.dialect.name === name)!;
  const { handshake, download } = dialect;
  if (!handshake || !download) return [];
  const transaction = 'exchange_000000000000000000000000';
  const file = { name: 'notes.txt', size: 6, type: 'text/plain', sha256: 'f0'.repeat(32) };
  const part = { roomId: 'room_1' as never, file, packets: 1 };
  const underHandshake = fixtures.replies
    .map((fixture) => ({ command: commandOf(fixtures, fixture), reply: fixture.reply }))
    .filter(({ command }) => handshake.covers(command))
    .flatMap(({ command, reply }) => handshake.encodeReply(command, reply, transaction));
  const texts = [
    ...underHandshake,
    handshake.count(transaction, { a: 1 }, 'login'),
    handshake.mismatch(transaction),
    download.meta(part),
    download.data(part, 1, 'SGVsbG8K'),
  ];
  return texts.map((text) => JSON.parse(text) as Frame);
}

function frameOf(fixture: FrameFixture, bodyField: string | undefined): Frame {
  return JSON.parse(written(fixture, bodyField)) as Frame;
}

function actionsOf(refs: readonly { $ref: string }[]): string[] {
  return refs.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1).replace(/^\w+\./, ''));
}

function answersTo({ operations }: AsyncApi, action: string): string[] {
  return actionsOf(operations[action]!.reply!.messages);
}

const ajv = new Ajv({ strict: false });
const compiled = new Map<JsonSchema, ValidateFunction>();

/** Fails unless the document has such a frame, and the frame no field that the document has not. */
function expectMatch({ components }: AsyncApi, from: 'client' | 'server', payload: unknown): void {
  const { action } = payload as Frame;
  const schema = components.messages[`${from}.${action}`]?.payload;
  expect({ payload, isKnown: schema !== undefined }).toMatchObject({ isKnown: true });
  // Clients may send fields that count for nothing here.
  const validate = compiled.get(schema!) ?? ajv.compile(from === 'server' ? closed(schema!) : schema!);
  compiled.set(schema!, validate);
  expect({ payload, isValid: validate(payload), errors: validate.errors }).toMatchObject({ isValid: true });
}

/** The schema of objects that have no fields but those it knows. */
function closed(schema: JsonSchema): JsonSchema {
  const { properties, items, anyOf, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && {
      additionalProperties: additionalProperties ?? false,
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, closed(field)]),
      ),
    }),
    ...(items && !Array.isArray(items) && { items: closed(items) }),
    ...(anyOf && { anyOf: anyOf.map(closed) }),
  };
}

/** The fields of a schema, those of objects within it behind their parent. */
function schemaPaths({ properties = {}, items }: JsonSchema): string[] {
  const own = Object.entries(properties).flatMap(([name, field]) => [
    name,
    ...schemaPaths(field).map((path) => `${name}.${path}`),
  ]);
  return items && !Array.isArray(items) ? [...own, ...schemaPaths(items)] : own;
}

/** The fields of a value, in the same way. */
function pathsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(pathsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [
    name,
    ...pathsOf(field).map((path) => `${name}.${path}`),
  ]);
}
