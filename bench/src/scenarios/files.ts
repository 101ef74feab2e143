import { randomBytes } from 'node:crypto';
import { startBenchStack } from '../bench-stack.ts';
import { stackProcesses } from '../cpu.ts';
import { readMachineFacts } from '../machine.ts';
import { spending } from '../measure.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { mask, openSocket, textFrame, type RawSocket } from '../websocket.ts';

const mebibyte = 2 ** 20;
const largeChunk = 64 * 1_024;
const smallChunk = 1_024;
/** Room for a chunk's number, so that it can be written into a finished frame. */
const numberWidth = 8;

type FilesOptions = { megabytes: number; small: number; window: number };

/** How fast one client sends a file and gets it back, and how many small chunks are stored. */
export const files: Scenario<FilesOptions> = {
  name: 'files',
  summary: 'one client sends a file and gets it back: MB/s, chunks a second, CPU',
  peers: [],
  plots: ['megabytesPerSecond'],
  grows: ['megabytes'],
  options: {
    megabytes: {
      doc: 'size of the file sent in chunks of 64 KiB (in MiB)',
      standard: '256',
      min: 1,
      max: 1_024,
    },
    small: { doc: 'size of the file sent in chunks of 1 KiB (in MiB)', standard: '32', min: 1, max: 1_024 },
    window: {
      doc: 'chunks under way at the same time; of the small ones 256',
      standard: '32',
      min: 1,
      max: 256,
    },
  },
  headline: ({ megabytes, small }) => `Files: one client, ${megabytes} MiB, and ${small} MiB in small chunks`,

  async measure({ options, profileDir, log, abort }) {
    const { megabytes, small, window } = options;
    const [size, smallSize] = [megabytes * mebibyte, small * mebibyte];
    await using stack = await startBenchStack({ gateways: 1, profileDir, log, abort });
    const groups = stackProcesses(stack);
    const client = await Client.open(stack.gateways[0]!.webSocketUrl);
    const measure = async (
      name: string,
      bytes: number,
      chunkBytes: number,
      work: () => Promise<void>,
    ): Promise<Part> => {
      const start = performance.now();
      const { cpu } = await spending(groups, [process.pid], work);
      const seconds = (performance.now() - start) / 1_000;
      const values = {
        megabytesPerSecond: bytes / 1e6 / seconds,
        chunksPerSecond: Math.ceil(bytes / chunkBytes) / seconds,
      };
      return { name, values, cpu: cpu.byGroup };
    };
    const upload = (name: string, bytes: number, chunkBytes: number, inFlight: number) =>
      measure(name, bytes, chunkBytes, () => client.upload(name, bytes, chunkBytes, inFlight));
    // Once, so that the compiler has seen it.
    await client.upload('warm-up', 16 * mebibyte, largeChunk, window);
    const parts = [
      await upload('upload, 64 KiB chunks', size, largeChunk, window),
      await measure('download, 64 KiB chunks', size, largeChunk, () =>
        client.download('upload, 64 KiB chunks'),
      ),
      await upload('upload, 1 KiB chunks', smallSize, smallChunk, 256),
    ];
    client.close();
    const audit = { text: 'every chunk confirmed, as many came back', problems: [] };
    return { facts: readMachineFacts(stack.servers), parts, audit };
  },
};

/** A user's connection that spends as little as it can on each frame. */
class Client {
  readonly #socket: RawSocket;
  #roomId = '';
  #isClosed = false;
  #hear: (bytes: Buffer, start: number, end: number) => void = () => undefined;

  private constructor(socket: RawSocket) {
    this.#socket = socket;
  }

  static async open(webSocketUrl: string): Promise<Client> {
    const socket = await openSocket(webSocketUrl, {
      onText: (bytes, start, end) => {
        client.#hear(bytes, start, end);
      },
      onRead: () => undefined,
      onClose: (reason) => {
        if (!client.#isClosed) console.error(`The connection was lost: ${reason}`);
      },
    });
    const client = new Client(socket);
    const account = { chatid: 'sender', password: 'password123' };
    await client.#ask('register', account);
    await client.#ask('login', account);
    const { room_id } = await client.#ask('create_room', { participants: [], room_name: 'files' });
    client.#roomId = room_id as string;
    return client;
  }

  async #ask(action: string, data: object): Promise<Record<string, unknown>> {
    const answer = new Promise<{ code?: string; data: Record<string, unknown> }>((resolve) => {
      this.#hear = (bytes, start, end) => {
        resolve(JSON.parse(bytes.toString('utf8', start, end)) as { data: Record<string, unknown> });
      };
    });
    this.#socket.write(textFrame(JSON.stringify({ action, data })).bytes);
    const { code, data: reply } = await answer;
    if (code !== undefined) throw new Error(`${action}: ${code}`);
    return reply;
  }

  async upload(name: string, size: number, chunkBytes: number, window: number): Promise<void> {
    const file = { room_id: this.#roomId, file_path: name };
    const total_packets = size / chunkBytes;
    await this.#ask('file_send_init', { ...file, file_size: size, file_type: '', total_packets });
    const frameOf = chunkFrames(file, randomBytes(chunkBytes));
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      let stored = 0;
      const send = (): void => {
        sent += 1;
        this.#socket.write(frameOf(sent));
      };
      this.#hear = (bytes, start, end) => {
        const isStored = bytes.toString('latin1', start, start + 60).includes('"status":"success"');
        if (!isStored) reject(new Error(bytes.toString('utf8', start, end)));
        stored += 1;
        if (stored === total_packets) resolve();
        else if (sent < total_packets) send();
      };
      while (sent < Math.min(window, total_packets)) send();
    });
    await this.#ask('file_send_fin', { ...file, total_packets });
  }

  async download(name: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let total = -1;
      let received = 0;
      this.#hear = (bytes, start, end) => {
        const head = bytes.toString('latin1', start, start + 40);
        if (head.includes('file_down_data')) received += 1;
        else if (head.includes('file_down_meta')) {
          const { data } = JSON.parse(bytes.toString('utf8', start, end)) as {
            data: { total_packets: number };
          };
          total = data.total_packets;
        } else if (head.includes('file_down_fin') && received === total) resolve();
        else reject(new Error(bytes.toString('utf8', start, Math.min(end, start + 500))));
      };
      const data = { room_id: this.#roomId, file_path: name };
      this.#socket.write(textFrame(JSON.stringify({ action: 'file_down_req', data })).bytes);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }
}

/** Makes the frames of a file whose chunks are all the same: one is finished once, and each gets its number. */
function chunkFrames(file: object, chunk: Buffer): (sequence: number) => Buffer {
  const blank = ' '.repeat(numberWidth);
  const data = JSON.stringify({ ...file, file_data: chunk.toString('base64') });
  const head = `{"action":"file_send_data","data":{"sequence_number":`;
  const { bytes, payloadStart } = textFrame(`${head}${blank},${data.slice(1)}}`);
  const numberStart = payloadStart + head.length;
  return (sequence) => {
    const frame = Buffer.from(bytes);
    const digits = String(sequence).padStart(numberWidth);
    for (let index = 0; index < numberWidth; index += 1) {
      frame[numberStart + index] = digits.charCodeAt(index) ^ mask[(head.length + index) & 3]!;
    }
    return frame;
  };
}
