import { createHash, randomBytes } from 'node:crypto';
import { group } from '../check.ts';
import { expectLike, expectSame, expectThat } from '../expect.ts';
import { list, number, text } from '../fields.ts';
import { dataOf } from '../wires/login-wire.ts';
import type { LoginWire } from '../wires/login-wire.ts';

const chunkBytes = 1_000;

function chunk(bytes: Buffer, sequence: number): string {
  return bytes.subarray((sequence - 1) * chunkBytes, sequence * chunkBytes).toString('base64');
}

async function put(wire: LoginWire, file: object, bytes: Buffer, sequence_number: number): Promise<void> {
  await wire.ask('file_send_data', { ...file, sequence_number, file_data: chunk(bytes, sequence_number) });
}

export const fileChecks = group('files', { section: 'Files', dialects: ['login'] }, [
  {
    id: 'round-trip',
    says: 'A file that is sent in chunks is listed, told to the others, and downloads in order with the same bytes.',
    async run(stage) {
      const [anna, ben] = [await stage.logIn('anna'), await stage.logIn('ben')];
      const room_id = await stage.room(anna, ben);
      const bytes = randomBytes(2_500);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const file = { room_id, file_path: 'grüße.bin' };
      const facts = { file_size: bytes.length, file_type: 'application/octet-stream' };
      await anna.ask('file_send_init', { ...file, ...facts, total_packets: 3, sha256 });
      for (const sequence of [3, 1, 2, 2]) await put(anna, file, bytes, sequence);
      expectLike('the end', await anna.ask('file_send_fin', { ...file, total_packets: 3 }), { sha256 });
      const told = { ...file, ...facts, sender_chatid: anna.name, message_id: 1, sha256 };
      expectLike('what ben is told', (await ben.event('receive_file')).frame, { data: told });
      const listed = await ben.ask('file_list_req', { room_id });
      expectSame('the list', text(listed, 'file_list'), 'grüße.bin');
      const { messages } = await ben.ask('get_messages', { room_id });
      expectLike('history', (messages as unknown[])[0], {
        message_id: 1,
        content: 'grüße.bin',
        file: { sha256 },
      });

      ben.send({ action: 'file_down_req', data: file });
      expectLike('the beginning', (await ben.event('file_down_meta')).frame, {
        data: { ...file, file_size: bytes.length },
      });
      await ben.event('file_down_fin');
      const parts = ben.all('file_down_data').map(({ frame }) => dataOf(frame));
      expectSame(
        'the sequence',
        parts.map((part) => number(part, 'sequence_number')),
        parts.map((_, n) => n + 1),
      );
      const downloaded = Buffer.concat(parts.map((part) => Buffer.from(text(part, 'file_data'), 'base64')));
      expectThat('the bytes that were downloaded are others', downloaded.equals(bytes));
    },
  },
  {
    id: 'missing-chunks',
    says: 'An end before all chunks are there is `chunks_missing` with their ranges; the upload stays open.',
    async run(stage) {
      const anna = await stage.logIn('anna');
      const file = { room_id: await stage.room(anna), file_path: 'a.bin' };
      const bytes = randomBytes(5_000);
      const facts = { file_size: bytes.length, file_type: 'application/octet-stream', total_packets: 5 };
      await anna.ask('file_send_init', { ...file, ...facts });
      for (const sequence of [1, 4]) await put(anna, file, bytes, sequence);
      const early = await anna.refusal('file_send_fin', { ...file, total_packets: 5 });
      expectLike('the error', early, { code: 'chunks_missing', data: { file_path: 'a.bin' } });
      expectSame('the missing ones', dataOf(early)['missing'], [
        [2, 3],
        [5, 5],
      ]);
      const resumed = await anna.ask('file_send_init', { ...file, ...facts });
      expectSame('what is there already', resumed['received'], [
        [1, 1],
        [4, 4],
      ]);
      for (const sequence of [2, 3, 5]) await put(anna, file, bytes, sequence);
      await anna.ask('file_send_fin', { ...file, total_packets: 5 });
      await anna.ask('file_send_fin', { ...file, total_packets: 5 });
      expectSame(
        'the files',
        list(await anna.ask('file_list_req', { room_id: file.room_id }), 'files').length,
        1,
      );
    },
  },
  {
    id: 'refused',
    says: 'A path for a name, a wrong hash, a file that is not there and a room one is not in are refused.',
    async run(stage) {
      const [anna, outsider] = [await stage.logIn('anna'), await stage.logIn('outsider')];
      const room_id = await stage.room(anna);
      const facts = { room_id, file_size: 3, file_type: 'text/plain', total_packets: 1 };
      for (const file_path of ['../a', 'a/b', '..', 'a\\b', 'a\u0007', 'x'.repeat(256)]) {
        const refused = await anna.refusal('file_send_init', { ...facts, file_path });
        expectLike(file_path.slice(0, 10), refused, { code: 'invalid_field', data: { field: 'file_path' } });
      }
      const file = { room_id, file_path: 'a.txt' };
      await anna.ask('file_send_init', { ...facts, ...file, sha256: '0'.repeat(64) });
      await put(anna, file, Buffer.from('abc'), 1);
      const wrong = await anna.refusal('file_send_fin', { ...file, total_packets: 1 });
      expectLike('a wrong hash', wrong, { code: 'invalid_field' });
      expectLike('no such file', await anna.refusal('file_down_req', file), { code: 'file_not_found' });
      const outside = await outsider.refusal('file_send_init', { ...facts, ...file });
      expectLike('from outside', outside, { code: 'not_in_room' });
    },
  },
]);
