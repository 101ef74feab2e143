/** One user uploads a file in the packets of the login dialect, another downloads it, and both hash it. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { WebSocket } from 'ws';

interface Frame {
  action: string;
  message?: string;
  original_action?: string;
  data: Record<string, unknown>;
}

const chunkBytes = 65_536;
/** Chunks that are under way at the same time. */
const window = 32;
const barWidth = 40;

/** @param path Of the file. @returns Whether both have the same bytes. */
export async function sendFile(url: string, path: string): Promise<boolean> {
  const alice = await Peer.logIn(url, 'user123');
  const bob = await Peer.logIn(url, 'user456');
  const created = await alice.ask('create_room', { participants: ['user456'], room_name: 'Files' });
  const room_id = created['room_id'] as string;
  const name = basename(path);

  const sent = await upload(alice, { room_id, file_path: name }, path);
  console.log(`user123 sent     ${sent}`);
  await bob.next(({ action }) => action === 'receive_file');
  const received = await download(bob, { room_id, file_path: name });
  console.log(`user456 received ${received}`);

  await alice.ask('delete_room', { room_id });
  alice.close();
  bob.close();
  return sent === received;
}

async function upload(
  peer: Peer,
  file: { room_id: string; file_path: string },
  path: string,
): Promise<string> {
  const { size } = await stat(path);
  const total_packets = Math.ceil(size / chunkBytes);
  await peer.ask('file_send_init', {
    ...file,
    file_size: size,
    file_type: 'application/octet-stream',
    total_packets,
  });
  const hash = createHash('sha256');
  const underWay = new Set<Promise<void>>();
  await using handle = await open(path);
  for (let sequence_number = 1; sequence_number <= total_packets; sequence_number += 1) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes);
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    peer.send('file_send_data', { ...file, sequence_number, file_data: chunk.toString('base64') });
    const stored: Promise<void> = peer
      .next(({ action, data }) => action === 'file_send_data' && data['sequence_number'] === sequence_number)
      .then(() => void underWay.delete(stored));
    underWay.add(stored);
    if (underWay.size >= window) await Promise.race(underWay);
    showProgress('upload', sequence_number, total_packets);
  }
  await Promise.all(underWay);
  await peer.ask('file_send_fin', { ...file, total_packets });
  return hash.digest('hex');
}

async function download(peer: Peer, file: { room_id: string; file_path: string }): Promise<string> {
  const hash = createHash('sha256');
  peer.send('file_down_req', file);
  const { data: meta } = await peer.next(({ action }) => action === 'file_down_meta');
  for (;;) {
    const { action, data } = await peer.next(({ action: told }) => told.startsWith('file_down_'));
    if (action === 'file_down_fin') return hash.digest('hex');
    hash.update(Buffer.from(data['file_data'] as string, 'base64'));
    showProgress('download', data['sequence_number'] as number, meta['total_packets'] as number);
  }
}

/** A bar that grows, at a terminal; elsewhere it is shown once it is full. */
function showProgress(what: string, done: number, all: number): void {
  if (!process.stdout.isTTY && done < all) return;
  const filled = Math.round((done / all) * barWidth);
  const bar = '#'.repeat(filled).padEnd(barWidth, '.');
  process.stdout.write(`\r${what.padEnd(8)} [${bar}] ${done}/${all}${done === all ? '\n' : ''}`);
}

/** A user's connection. */
class Peer {
  readonly #socket: WebSocket;
  readonly #inbox: Frame[] = [];
  readonly #waiters: { accepts: (frame: Frame) => boolean; resolve: (frame: Frame) => void }[] = [];
  #failed: ((error: Error) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      if (frame.original_action !== undefined) {
        for (const fail of this.#failed.splice(0))
          fail(new Error(`${frame.original_action}: ${frame.message ?? ''}`));
        return;
      }
      const index = this.#waiters.findIndex(({ accepts }) => accepts(frame));
      if (index === -1) this.#inbox.push(frame);
      else this.#waiters.splice(index, 1)[0]!.resolve(frame);
    });
  }

  static async logIn(url: string, chatid: string): Promise<Peer> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const peer = new Peer(socket);
    const account = { chatid, password: 'password123' };
    // Run again on the same server, the name is taken, by the same user.
    await peer.ask('register', account).catch(() => undefined);
    await peer.ask('login', account);
    return peer;
  }

  send(action: string, data: object): void {
    this.#socket.send(JSON.stringify({ action, data }));
  }

  /** The first frame that is accepted. @throws Error where a request fails meanwhile. */
  next(accepts: (frame: Frame) => boolean): Promise<Frame> {
    const index = this.#inbox.findIndex(accepts);
    if (index !== -1) return Promise.resolve(this.#inbox.splice(index, 1)[0]!);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ accepts, resolve });
      this.#failed.push(reject);
    });
  }

  /** Sends a request and resolves with the `data` of what answers it. */
  async ask(action: string, data: object): Promise<Frame['data']> {
    const replies: Record<string, string> = {
      register: 'register_success',
      login: 'login_success',
      create_room: 'room_created',
      delete_room: 'room_deleted',
    };
    const answer = this.next((frame) => frame.action === (replies[action] ?? action));
    this.send(action, data);
    return (await answer).data;
  }

  close(): void {
    this.#socket.close();
  }
}
