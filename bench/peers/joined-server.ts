/**
 * The ceiling: what one process of Node can deliver at all. Raw sockets; the frames of one turn of the event loop are joined and
 * written once to each socket; nothing is kept, checked or bounded. Senders don't hear themselves, so their bytes are their own.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from './peer-process.ts';
import { ackOf, joined, messageOf, type ClientFrame } from './room-frames.ts';

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const text = 0x81;

interface Member {
  user: string;
  socket: Socket;
  room: Room | undefined;
}

interface Room {
  name: string;
  lastId: number;
  members: Set<Member>;
  /** What this turn brought, and by whom. */
  turn: { sender: Member; frame: Buffer; ack: Buffer }[];
}

const rooms = new Map<string, Room>();
const http = createServer();

http.on('upgrade', (request: IncomingMessage, socket: Socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${acceptSuffix}`);
  socket.setNoDelay(true);
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept.digest('base64')}`,
      '\r\n',
    ].join('\r\n'),
  );
  const member: Member = { user: '', socket, room: undefined };
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = readFrames(rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk, (payload) => {
      hear(member, payload);
    });
  });
  socket.on('error', () => undefined);
  socket.on('close', () => member.room?.members.delete(member));
});

listen(http);

function hear(member: Member, payload: Buffer): void {
  const frame = JSON.parse(payload.toString()) as ClientFrame;
  if (frame.type === 'join') {
    member.user = frame.user;
    member.room = roomOf(frame.room);
    member.room.members.add(member);
    member.socket.write(framed(joined));
  } else if (member.room) {
    const { room } = member;
    room.lastId += 1;
    const at = new Date().toISOString();
    if (room.turn.length === 0) setImmediate(deliver, room);
    room.turn.push({
      sender: member,
      frame: framed(messageOf(room.name, member.user, frame.content, room.lastId, at)),
      ack: framed(ackOf(room.lastId, at)),
    });
  }
}

function deliver(room: Room): void {
  const { turn } = room;
  room.turn = [];
  const all = Buffer.concat(turn.map(({ frame }) => frame));
  const senders = new Set(turn.map(({ sender }) => sender));
  for (const member of room.members) {
    const bytes = senders.has(member)
      ? Buffer.concat(turn.map(({ sender, frame, ack }) => (sender === member ? ack : frame)))
      : all;
    if (member.socket.writable) member.socket.write(bytes);
  }
}

function roomOf(name: string): Room {
  const room = rooms.get(name) ?? { name, lastId: 0, members: new Set(), turn: [] };
  rooms.set(name, room);
  return room;
}

function framed(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const header = length < 126 ? [text, length] : [text, 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), Buffer.from(payload)]);
}

/** Hands out the payloads of the clients' frames (masked, below 64 KiB, unfragmented); answers with what is unfinished. */
function readFrames(bytes: Buffer, onPayload: (payload: Buffer) => void): Buffer {
  let at = 0;
  while (bytes.length >= at + 2) {
    const isLong = (bytes[at + 1]! & 0x7f) === 126;
    const maskAt = at + (isLong ? 4 : 2);
    if (bytes.length < maskAt + 4) break;
    const length = isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 1]! & 0x7f;
    const end = maskAt + 4 + length;
    if (bytes.length < end) break;
    const payload = Buffer.from(bytes.subarray(maskAt + 4, end));
    for (let index = 0; index < length; index += 1) payload[index]! ^= bytes[maskAt + (index & 3)]!;
    if (bytes[at] === text) onPayload(payload);
    at = end;
  }
  return bytes.subarray(at);
}
