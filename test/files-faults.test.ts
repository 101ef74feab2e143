import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { download, FileSender, password, sha256, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

const mebibyte = 2 ** 20;

let parley: Parley;
let anna: LoginClient;
let bob: LoginClient;
let roomId: string;

beforeAll(async () => {
  parley = await startParley({ gateways: 2, instances: 1, environment: { LOGIN_POLICY: 'multi' } });
  anna = await parley.logIn('anna', 0);
  bob = await parley.logIn('bob', 1);
  roomId = (await anna.ask('create_room', { room_name: 'files', participants: ['bob'] })).room_id;
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** Sends what is missing, as often as it takes, over a connection that is made anew where it is lost. */
async function resume(bytes: Buffer, name: string, gateway: number): Promise<void> {
  await until(`the upload of ${name}`, async () => {
    try {
      const client = await parley.connect(gateway);
      await client.logIn('anna', { password });
      const { sha256: stored } = await new FileSender(client, roomId, name, bytes).send();
      expect(stored).toBe(sha256(bytes));
      return true;
    } catch (error) {
      if (/unavailable|chunks_missing|internal/.test(String(error))) return false;
      throw error;
    }
  });
}

test('an upload survives the death of the files service, and goes on where it was', async () => {
  const bytes = randomBytes(24 * mebibyte);
  const sender = new FileSender(anna, roomId, 'service killed', bytes);
  await sender.init();
  const [service] = parley.stack.services.files;
  const half = sender.sequences().slice(0, sender.packets / 2);
  const sending = sender.putAll(half).catch((error: unknown) => String(error));
  await until('some chunks', () => anna.all('file_send_data').length > 100);
  await service!.kill();
  await sending;
  const confirmed = anna.all('file_send_data').map(({ data }) => data.sequence_number as number);
  await service!.ready();
  let received: [number, number][] = [];
  await until('the service', async () => {
    received = await sender.init().catch(() => []);
    return received.length > 0;
  });
  // What was confirmed is there.
  const missing = new Set(sender.sequences(received));
  expect(confirmed.filter((sequence) => missing.has(sequence))).toEqual([]);
  await resume(bytes, 'service killed', 1);
  expect(sha256((await download(bob, roomId, 'service killed')).bytes)).toBe(sha256(bytes));
});

test('a file is put together though the files service dies while it is at it', async () => {
  const bytes = randomBytes(32 * mebibyte);
  const sender = new FileSender(anna, roomId, 'assembly killed', bytes);
  await sender.putAll(sender.sequences(await sender.init()));
  const answer = sender.fin();
  await parley.stack.services.files[0]!.kill();
  await answer;
  await resume(bytes, 'assembly killed', 0);
  expect(sha256((await download(bob, roomId, 'assembly killed')).bytes)).toBe(sha256(bytes));
  const { files } = await bob.ask('file_list_req', { room_id: roomId });
  expect(files.filter(({ file_path }: any) => file_path === 'assembly killed')).toHaveLength(1);
  const told = () => bob.all('receive_file').filter(({ data }) => data.file_path === 'assembly killed');
  await until('the news', () => told().length > 0);
  expect(told()).toHaveLength(1);
});

test('a download goes on, or can be gone on with, when the files service dies', async () => {
  const bytes = randomBytes(32 * mebibyte);
  await resume(bytes, 'download killed', 0);
  const name = 'download killed';
  const before = bob.all('file_down_data').length;
  const whole = download(bob, roomId, name).catch(() => undefined);
  await until('some of it', () => bob.all('file_down_data').length > before + 50);
  await parley.stack.services.files[0]!.kill();
  const first = await whole;
  if (first) {
    expect(sha256(first.bytes)).toBe(sha256(bytes));
    return;
  }
  const parts = bob.all('file_down_data').slice(before);
  expect(parts.map(({ data }) => data.sequence_number)).toEqual(parts.map((_part, index) => index + 1));
  await parley.stack.services.files[0]!.ready();
  const rest = await download(bob, roomId, name, parts.length + 1);
  const begin = Buffer.concat(parts.map(({ data }) => Buffer.from(data.file_data, 'base64')));
  expect(sha256(Buffer.concat([begin, rest.bytes]))).toBe(sha256(bytes));
});

test('an upload survives the death of its gateway', async () => {
  const bytes = randomBytes(24 * mebibyte);
  const client = await parley.logIn('anna', 0);
  const sender = new FileSender(client, roomId, 'gateway killed', bytes);
  await sender.init();
  void sender.putAll().catch(() => undefined);
  await until('some chunks', () => client.all('file_send_data').length > 100);
  await parley.stack.gateways[0]!.kill();
  const confirmed = client.all('file_send_data').map(({ data }) => data.sequence_number as number);
  const elsewhere = await parley.logIn('anna', 1);
  const missing = new Set(
    new FileSender(elsewhere, roomId, 'gateway killed', bytes).sequences(
      await new FileSender(elsewhere, roomId, 'gateway killed', bytes).init(),
    ),
  );
  expect(confirmed.filter((sequence) => missing.has(sequence))).toEqual([]);
  await resume(bytes, 'gateway killed', 1);
  expect(sha256((await download(bob, roomId, 'gateway killed')).bytes)).toBe(sha256(bytes));
  await parley.stack.gateways[0]!.ready();
});
