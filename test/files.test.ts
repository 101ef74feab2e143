import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  download,
  FileSender,
  HandshakeClient,
  password,
  sha256,
  startParley,
  until,
} from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

let parley: Parley;
let anna: LoginClient;
let bob: LoginClient;
let roomId: string;

beforeAll(async () => {
  parley = await startParley({ gateways: 2, environment: { LOGIN_POLICY: 'multi' } });
  anna = await parley.logIn('anna', 0);
  bob = await parley.logIn('bob', 1);
  roomId = (await anna.ask('create_room', { room_name: 'files', participants: ['bob'] })).room_id;
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

describe('the packets of seed 001', () => {
  test('carry a file of 1,048,576 bytes in 1,024 packets, frame by frame', async () => {
    const bytes = randomBytes(1_048_576);
    const sender = new FileSender(anna, roomId, 'my_document.pdf', bytes, { chunkBytes: 1_024 });
    const file = { room_id: roomId, file_path: 'my_document.pdf' };

    const init = await anna.request('file_send_init', {
      ...file,
      chat_id: 'anna',
      file_size: 1_048_576,
      file_type: 'application/pdf',
      total_packets: 1_024,
    });
    expect(init).toEqual({
      action: 'file_send_init',
      status: 'success',
      message: 'Server ready to receive file.',
      data: { chat_id: 'anna', ...file, received: [] },
    });
    expect(await sender.put(5)).toEqual({
      action: 'file_send_data',
      status: 'success',
      message: 'Chunk 5 received.',
      data: { chat_id: 'anna', ...file, sequence_number: 5 },
    });
    await sender.putAll();
    expect(await sender.fin()).toEqual({
      action: 'file_send_fin',
      status: 'success',
      message: 'File assembled successfully.',
      data: {
        chat_id: 'anna',
        ...file,
        file_size: 1_048_576,
        file_type: 'application/pdf',
        sha256: sha256(bytes),
      },
    });
    const told = await bob.event('receive_file');
    expect(told).toMatchObject({
      action: 'receive_file',
      status: 'success',
      message: 'New file received.',
      data: {
        ...file,
        sender_chatid: 'anna',
        file_size: 1_048_576,
        file_type: 'application/pdf',
        sha256: sha256(bytes),
        message_id: 1,
      },
    });
    // Repeated, it succeeds again; nobody is told a second time.
    expect(await sender.fin()).toMatchObject({ status: 'success' });

    const list = await bob.request('file_list_req', { chat_id: 'bob', room_id: roomId });
    expect(list).toMatchObject({
      action: 'file_list_req',
      status: 'success',
      message: `File list for room ${roomId}`,
      data: {
        file_list: 'my_document.pdf',
        files: [{ file_path: 'my_document.pdf', file_size: 1_048_576, sender_chatid: 'anna' }],
      },
    });

    const { meta, bytes: copy, sequences } = await download(bob, roomId, 'my_document.pdf');
    expect(meta).toMatchObject({ ...file, file_size: 1_048_576, total_packets: 16 });
    expect(sequences).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect(sha256(copy)).toBe(sha256(bytes));
    expect(bob.all('receive_file')).toHaveLength(1);
    expect(anna.all('receive_file')).toHaveLength(0);
  });

  test.each([
    ['no bytes', 0, 1],
    ['one byte', 1, 1],
    ['chunks counted from 0', 200_000, 0],
    ['a last chunk that is shorter', 65_537, 1],
  ] as const)('carry a file of %s', async (name, size, base) => {
    const bytes = randomBytes(size);
    await new FileSender(anna, roomId, name, bytes, { base }).send();
    const copy = await download(bob, roomId, name);
    expect(copy.bytes.equals(bytes)).toBe(true);
    expect(copy.meta).toMatchObject({ file_size: size, sha256: sha256(bytes) });
  });

  test('come in any order, more than once, and over another gateway', async () => {
    const bytes = randomBytes(1_000_000);
    const first = new FileSender(anna, roomId, 'shuffled', bytes, { chunkBytes: 10_000 });
    await first.init();
    const shuffled = first.sequences().sort(() => Math.random() - 0.5);
    await first.putAll([...shuffled.slice(0, 60), ...shuffled.slice(0, 10)]);
    const elsewhere = await parley.logIn('anna', 1);
    const second = new FileSender(elsewhere, roomId, 'shuffled', bytes, { chunkBytes: 10_000 });
    const received = await second.init();
    expect(second.sequences(received).sort((a, b) => a - b)).toEqual(
      shuffled.slice(60).sort((a, b) => a - b),
    );
    const missing = await second.fin();
    expect(missing).toMatchObject({
      status: 'error',
      code: 'chunks_missing',
      original_action: 'file_send_fin',
    });
    expect(missing.data.file_path).toBe('shuffled');
    await second.putAll(
      missing.data.missing.flatMap(([from, to]: [number, number]) =>
        Array.from({ length: to - from + 1 }, (_, index) => from + index),
      ),
    );
    expect(await second.fin()).toMatchObject({ status: 'success', data: { sha256: sha256(bytes) } });
    // Who sent it hears of it on the other connection too.
    expect(
      await anna.next(
        'the file',
        ({ action, data }) => action === 'receive_file' && data.file_path === 'shuffled',
      ),
    ).toBeDefined();
  });

  test('go on with a broken download', async () => {
    const bytes = randomBytes(500_000);
    await new FileSender(anna, roomId, 'long', bytes).send();
    const rest = await download(bob, roomId, 'long', 4);
    expect(rest.sequences).toEqual([4, 5, 6, 7, 8]);
    expect(rest.bytes.equals(bytes.subarray(3 * 65_536))).toBe(true);
    await expect(download(bob, roomId, 'long', 10)).rejects.toThrow('invalid_field');
    expect((await download(bob, roomId, 'long', 9)).sequences).toEqual([]);
  });

  test('replace a file of the same name', async () => {
    for (const text of ['the first', 'the second, longer one']) {
      await new FileSender(anna, roomId, 'note.txt', Buffer.from(text)).send();
      expect((await download(bob, roomId, 'note.txt')).bytes.toString()).toBe(text);
    }
    const { files } = await bob.ask('file_list_req', { room_id: roomId });
    expect(files.filter(({ file_path }: any) => file_path === 'note.txt')).toHaveLength(1);
  });
});

describe('bad input', () => {
  test('gets the error named, says what it is about, and the upload goes on', async () => {
    const bytes = randomBytes(30_000);
    const sender = new FileSender(anna, roomId, 'careful', bytes, { chunkBytes: 10_000 });
    const put = (sequence_number: unknown, file_data: unknown, file_path = 'careful') =>
      anna.request('file_send_data', { room_id: roomId, file_path, sequence_number, file_data });
    const chunk = bytes.subarray(0, 10_000).toString('base64');

    expect(await put(1, chunk)).toMatchObject({ code: 'upload_not_found', data: { file_path: 'careful' } });
    expect(await sender.fin()).toMatchObject({ code: 'upload_not_found' });
    await sender.init();
    const tries: [unknown, unknown, string, string | undefined][] = [
      [1, 'no base64!', 'invalid_field', 'file_data'],
      [1, chunk.replaceAll('+', '-').replaceAll('/', '_'), 'invalid_field', 'file_data'],
      [1, `${chunk}\n`, 'invalid_field', 'file_data'],
      [4, chunk, 'invalid_field', 'sequence_number'],
      [-1, chunk, 'invalid_field', 'sequence_number'],
      ['1', chunk, 'invalid_field', 'sequence_number'],
      [1, undefined, 'missing_field', 'file_data'],
      [1, Buffer.alloc(512 * 1_024 + 1).toString('base64'), 'too_large', undefined],
    ];
    for (const [sequence, data, code, field] of tries) {
      const refused = await put(sequence, data);
      expect(refused).toMatchObject({ status: 'error', code, data: { file_path: 'careful' } });
      expect(refused.data.field).toBe(field);
    }
    await sender.putAll();
    expect(await sender.fin()).toMatchObject({ status: 'success', data: { sha256: sha256(bytes) } });
  });

  test.each(['a/b', '..', '.', '', 'a\\b', 'a\u0007b', 'ä'.repeat(128)])(
    '%p is no name of a file',
    async (file_path) => {
      const refused = await anna.request('file_send_init', {
        room_id: roomId,
        file_path,
        file_size: 1,
        file_type: 'text/plain',
        total_packets: 1,
      });
      expect(refused).toMatchObject({ code: 'invalid_field', data: { field: 'file_path' } });
    },
  );

  test('of those who are not in the room changes nothing', async () => {
    const clara = await parley.logIn('clara');
    const file = { room_id: roomId, file_path: 'mine' };
    const init = { ...file, file_size: 1, file_type: 'text/plain', total_packets: 1 };
    expect(await clara.request('file_send_init', init)).toMatchObject({ code: 'not_in_room' });
    expect(await clara.request('file_list_req', { room_id: roomId })).toMatchObject({ code: 'not_in_room' });
    await expect(download(clara, roomId, 'note.txt')).rejects.toThrow('not_in_room');
    await expect(download(bob, roomId, 'nothing')).rejects.toThrow('file_not_found');
    expect(await clara.request('file_send_init', { ...init, room_id: 'room_nowhere' })).toMatchObject({
      code: 'room_not_found',
    });
    expect(await clara.request('file_send_init', { ...init, chat_id: 'anna' })).toMatchObject({
      code: 'forbidden',
    });
  });
});

test('a file is a message to those of the other dialects, and one to be acknowledged under the handshake', async () => {
  const publicId = await parley.createPublicRoom('shared', 'anna');
  const guest = await parley.connectIdentify(1);
  await guest.identify('gustav');
  await guest.ask('joinRoom', { room: 'shared' });
  const joined = await parley.connectJoin();
  await joined.join('hanna', publicId);
  await parley.getToken('careful reader');
  const reader = new HandshakeClient(await parley.connect(1), { acknowledge: () => false });
  await reader.logIn('careful reader', { password });
  await reader.ask('join_room', { room_id: publicId });

  const bytes = Buffer.from('for all of you');
  await new FileSender(anna, publicId, 'für alle.txt', bytes, { type: 'text/plain' }).send();
  const file = { name: 'für alle.txt', size: bytes.length, type: 'text/plain', sha256: sha256(bytes) };
  const url = `/api/rooms/${publicId}/files/${encodeURIComponent(file.name)}`;
  expect(await guest.event('file')).toMatchObject({
    payload: { from: 'anna', room: 'shared', file, url, id: 1 },
  });
  expect(await joined.event('file')).toMatchObject({ roomId: publicId, sender: 'anna', file, url, id: 1 });
  const first = await reader.client.event('receive_file');
  expect(first.data).toMatchObject({ room_id: publicId, file_path: file.name });

  // Not acknowledged: it comes again with the next login, and only once it is acknowledged no more.
  await reader.client.close();
  const again = new HandshakeClient(await parley.connect(0));
  await again.logIn('careful reader', { password });
  const second = await again.client.event('receive_file');
  expect(second.data.transaction_id).toBe(first.data.transaction_id);
  await until('the receipt', async () => {
    const { receipts } = await anna.ask('get_receipts', { room_id: publicId });
    return receipts.some(({ chatid, message_id }: any) => chatid === 'careful reader' && message_id === 1);
  });
});
