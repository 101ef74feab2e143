/**
 * The client's side of WebSocket (RFC 6455), bare: a load generator has to be cheaper than what it measures. No
 * compression, no fragments, and frames are seen where they lie in the bytes that came.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const final = 0x80;
const masked = 0x80;

/**
 * The same for all frames, which a server can't know: it is there to protect proxies. Not zeros, as undoing that is no work.
 */
export const mask = Buffer.from([0x5a, 0xa7, 0x3c, 0xe1]);

/** A client's frame, masked. */
export interface ClientFrame {
  bytes: Buffer;
  /** Where the payload begins, in bytes. */
  payloadStart: number;
}

export function textFrame(text: string): ClientFrame {
  return clientFrame(opcodes.text, Buffer.from(text));
}

function clientFrame(opcode: number, payload: Buffer): ClientFrame {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const payloadStart = 2 + lengthBytes + mask.length;
  const bytes = Buffer.alloc(payloadStart + length);
  bytes[0] = final | opcode;
  bytes[1] = masked | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) bytes.writeUInt16BE(length, 2);
  if (lengthBytes === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  mask.copy(bytes, payloadStart - mask.length);
  for (let index = 0; index < length; index += 1)
    bytes[payloadStart + index] = payload[index]! ^ mask[index & 3]!;
  return { bytes, payloadStart };
}

/** Sees a text frame in place: its payload is `bytes` from `start` to before `end`, valid during the call only. */
export type TextListener = (bytes: Buffer, start: number, end: number) => void;

/** Cuts what comes from a server into frames. */
export class FrameReader {
  readonly #onText: TextListener;
  readonly #onControl: (opcode: number, payload: Buffer) => void;
  #rest: Buffer | undefined;

  constructor(onText: TextListener, onControl: (opcode: number, payload: Buffer) => void = () => {}) {
    this.#onText = onText;
    this.#onControl = onControl;
  }

  /** Takes the next bytes; an unfinished frame at their end waits for more. */
  push(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let position = 0;
    while (position < bytes.length) {
      const next = this.#read(bytes, position);
      if (next === undefined) {
        this.#rest = bytes.subarray(position);
        return;
      }
      position = next;
    }
  }

  /** Where the frame that begins at `position` ends; `undefined` while it is not all there. */
  #read(bytes: Buffer, position: number): number | undefined {
    if (bytes.length < position + 2) return undefined;
    let length = bytes[position + 1]!;
    let start = position + 2;
    if (length >= 126) {
      const lengthBytes = length === 126 ? 2 : 8;
      if (bytes.length < start + lengthBytes) return undefined;
      length = lengthBytes === 2 ? bytes.readUInt16BE(start) : Number(bytes.readBigUInt64BE(start));
      start += lengthBytes;
    }
    const end = start + length;
    if (bytes.length < end) return undefined;
    const opcode = bytes[position]! & 0x0f;
    if (opcode === opcodes.text) this.#onText(bytes, start, end);
    else this.#onControl(opcode, bytes.subarray(start, end));
    return end;
  }
}

export interface SocketListeners {
  onText: TextListener;
  /** Called once for each piece that came, after all of its frames. */
  onRead: () => void;
  /** @param reason The server's close code, or what broke. */
  onClose: (reason: string) => void;
}

/** A connection to a WebSocket server. Pings and the server's close are answered. */
export interface RawSocket {
  /** Writes finished frames; nothing once either side has closed. */
  write(frames: Buffer): void;
  destroy(): void;
}

/**
 * @param webSocketUrl As `ws://127.0.0.1:20200`.
 * @param signal Ends the connection, also while it is being opened.
 * @throws Error where the server refuses, or ends the connection before it has answered.
 */
export async function openSocket(
  webSocketUrl: string,
  listeners: SocketListeners,
  signal?: AbortSignal,
): Promise<RawSocket> {
  const { hostname, port, host, pathname, search } = new URL(webSocketUrl);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, ...(signal && { signal }) });
  let closeReason: string | undefined;
  socket.on('error', (error) => (closeReason ??= error.message));
  await once(socket, 'connect');
  socket.write(
    [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      '\r\n',
    ].join('\r\n'),
  );
  let early: Buffer;
  try {
    early = await readUpgrade(socket);
  } catch (error) {
    socket.destroy();
    throw error;
  }

  const reader = new FrameReader(listeners.onText, (opcode, payload) => {
    if (opcode === opcodes.ping) socket.write(clientFrame(opcodes.pong, payload).bytes);
    if (opcode !== opcodes.close) return;
    if (payload.length >= 2) closeReason = `closed with ${payload.readUInt16BE(0)}`;
    socket.end(clientFrame(opcodes.close, payload).bytes);
  });
  function read(chunk: Buffer): void {
    reader.push(chunk);
    listeners.onRead();
  }
  socket.on('data', read).once('close', () => {
    listeners.onClose(closeReason ?? 'connection lost');
  });
  if (early.length > 0) read(early);
  return {
    write: (frames) => {
      if (socket.writable) socket.write(frames);
    },
    destroy: () => void socket.destroy(),
  };
}

/** Reads the answer to the upgrade; resolves with what followed it. */
async function readUpgrade(socket: Socket): Promise<Buffer> {
  let answer = Buffer.alloc(0);
  let end = -1;
  const ended = new AbortController();
  const giveUp = (): void => {
    ended.abort();
  };
  socket.once('close', giveUp);
  try {
    while (end === -1) {
      const [chunk] = (await once(socket, 'data', { signal: ended.signal })) as [Buffer];
      answer = Buffer.concat([answer, chunk]);
      end = answer.indexOf('\r\n\r\n');
    }
  } catch (error) {
    throw ended.signal.aborted ? new Error('no WebSocket: the connection was ended') : error;
  } finally {
    socket.off('close', giveUp);
  }
  const [status = ''] = answer.toString('latin1', 0, end).split('\r\n', 1);
  if (!status.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${status}`);
  return answer.subarray(end + 4);
}
