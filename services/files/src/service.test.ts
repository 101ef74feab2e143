import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RoomId, User } from '@parley/protocol';
import { startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { chunksOf, clientOf, sha256, someone } from './testing.ts';
import type { FilesClient } from './testing.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let client: FilesClient;
const anna = someone('anna');
let roomId: RoomId;

beforeAll(async () => {
  parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
  client = clientOf(parley);
  roomId = await client.openRoom(anna);
});
afterAll(() => opened.disposeAsync());

test("the seed's file, 1,048,576 bytes in 1,024 packets", async () => {
  const chunks = chunksOf(1_048_576, 1_024);
  const file = await client.send(anna, roomId, { name: 'my_document.pdf', chunks });
  expect(file).toEqual({
    name: 'my_document.pdf',
    size: 1_048_576,
    type: 'text/plain',
    sha256: sha256(chunks),
  });
  const bytes = await client.download(anna, roomId, 'my_document.pdf');
  expect(sha256([bytes])).toBe(file.sha256);
});
