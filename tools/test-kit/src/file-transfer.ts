import { createHash } from 'node:crypto';
import type { Frame, LoginClient } from './login-client.ts';

export interface UploadOptions {
  /** Of each chunk. Default 64 KiB. */
  chunkBytes?: number;
  /** Chunks that are under way at the same time. Default 32. */
  window?: number;
  type?: string;
  sha256?: string;
  /** The first chunk's number. Default 1. */
  base?: 0 | 1;
}

/** A file that a client sends in chunks. */
export class FileSender {
  readonly client: LoginClient;
  readonly file: { room_id: string; file_path: string };
  readonly bytes: Buffer;
  readonly options: Required<Pick<UploadOptions, 'chunkBytes' | 'window' | 'base'>> & UploadOptions;
  readonly packets: number;

  constructor(
    client: LoginClient,
    roomId: string,
    name: string,
    bytes: Buffer,
    { chunkBytes = 65_536, window = 32, base = 1, ...more }: UploadOptions = {},
  ) {
    this.client = client;
    this.file = { room_id: roomId, file_path: name };
    this.bytes = bytes;
    this.options = { chunkBytes, window, base, ...more };
    this.packets = Math.ceil(bytes.length / chunkBytes);
  }

  /** Announces the file; answers with the chunks that are there already. @throws Error where it is refused. */
  async init(): Promise<[number, number][]> {
    const { type: file_type = 'application/octet-stream', sha256 } = this.options;
    const size = { file_size: this.bytes.length, total_packets: this.packets };
    const { received } = await this.client.ask('file_send_init', {
      ...this.file,
      ...size,
      file_type,
      sha256,
    });
    return received as [number, number][];
  }

  /** Sends one chunk; resolves with its answer. */
  put(sequence: number): Promise<Frame> {
    const { chunkBytes, base } = this.options;
    const start = (sequence - base) * chunkBytes;
    const file_data = this.bytes.subarray(start, start + chunkBytes).toString('base64');
    const answer = this.client.upcoming(
      `the answer to chunk ${sequence}`,
      ({ action, original_action, data }) =>
        (action === 'file_send_data' || original_action === 'file_send_data') &&
        data?.sequence_number === sequence,
    );
    this.client.send({
      action: 'file_send_data',
      data: { ...this.file, sequence_number: sequence, file_data },
    });
    return answer;
  }

  /** Sends chunks, a window of them at a time. @throws Error where one is refused. */
  async putAll(sequences: Iterable<number> = this.sequences()): Promise<void> {
    const rest = sequences[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (let next = rest.next(); !next.done; next = rest.next()) {
        const { status, code = '' } = await this.put(next.value);
        if (status === 'error') throw new Error(`chunk ${next.value}: ${code}`);
      }
    };
    await Promise.all(Array.from({ length: this.options.window }, work));
  }

  /** All chunk numbers, but for those received. */
  sequences(received: readonly [number, number][] = []): number[] {
    const { base } = this.options;
    const all = Array.from({ length: this.packets }, (_, index) => index + base);
    return all.filter((sequence) => !received.some(([from, to]) => from <= sequence && sequence <= to));
  }

  /** Resolves with the reply or the error. */
  fin(): Promise<Frame> {
    return this.client.request('file_send_fin', { ...this.file, total_packets: this.packets });
  }

  /** The whole upload, going on where an earlier one ended. @throws Error where it is refused. */
  async send(): Promise<Frame['data']> {
    await this.putAll(this.sequences(await this.init()));
    const { status, code = '', data } = await this.fin();
    if (status === 'error') throw new Error(`file_send_fin: ${code}`);
    return data;
  }
}

/** Downloads a file, however long it takes while it goes on; answers its bytes, put together in the order they came. @throws Error where it is refused. */
export async function download(
  client: LoginClient,
  roomId: string,
  name: string,
  fromSequence?: number,
): Promise<{ meta: Frame['data']; bytes: Buffer; sequences: number[] }> {
  const parts: Buffer[] = [];
  const sequences: number[] = [];
  let meta: Frame['data'];
  client.send({
    action: 'file_down_req',
    data: { room_id: roomId, file_path: name, from_sequence: fromSequence },
  });
  for (;;) {
    const { action, code, data } = await client.next(`more of the download of ${name}`, (frame) =>
      isOfDownload(frame, name),
    );
    if (code !== undefined) throw new Error(`file_down_req: ${code}`);
    if (action === 'file_down_meta') meta = data;
    if (action === 'file_down_data') {
      sequences.push(data.sequence_number);
      parts.push(Buffer.from(data.file_data, 'base64'));
    }
    if (action === 'file_down_fin') return { meta, bytes: Buffer.concat(parts), sequences };
  }
}

function isOfDownload({ action, original_action, data }: Frame, name: string): boolean {
  if (original_action === 'file_down_req') return true;
  return action.startsWith('file_down_') && data?.file_path === name;
}

/** In hex. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
