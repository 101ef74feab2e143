import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as operators from '../packages/protocol/src/contract/operators.ts';

/** The names of all methods that only operators may ask for. */
const methodNames = Object.entries(operators).flatMap(([name, value]) =>
  typeof value === 'object' && 'endpoint' in value ? [name] : [],
);

/** Which of the methods are named in some file of the folder. */
function namedIn(folder: string): string[] {
  const root = new URL(`../${folder}/`, import.meta.url);
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(new URL(file, root), 'utf8'));
  return methodNames.filter((name) => sources.some((source) => new RegExp(`\\b${name}\\b`).test(source)));
}

test('what operators may ask is found where it is answered', () => {
  expect(namedIn('services/auth/src')).toEqual(expect.arrayContaining(['setRole', 'disableAccount']));
  expect(namedIn('services/rooms/src')).toEqual(expect.arrayContaining(['listAllRooms', 'dropRoom']));
});

test('no frame of a client asks for any of it', () => {
  expect(namedIn('packages/protocol/src/dialects')).toEqual([]);
});

test('a gateway passes none of it on, and answers for its own status only', () => {
  expect(namedIn('services/gateway/src')).toEqual(['readGatewayStatus']);
});
