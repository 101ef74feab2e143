/** The least one could write with the `ws` package: each message goes to each other socket of its room; nothing is kept. */
import { createServer } from 'node:http';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { listen } from './peer-process.ts';
import { ackOf, joined, messageOf, type ClientFrame } from './room-frames.ts';

interface Room {
  name: string;
  lastId: number;
  sockets: Set<WebSocket>;
}

const rooms = new Map<string, Room>();
const http = createServer();
const server = new WebSocketServer({ server: http });

server.on('connection', (socket) => {
  let user = '';
  let room: Room | undefined;
  socket.on('message', (data: RawData) => {
    const frame = JSON.parse((data as Buffer).toString()) as ClientFrame;
    if (frame.type === 'join') {
      user = frame.user;
      room = roomOf(frame.room);
      room.sockets.add(socket);
      socket.send(joined);
    } else if (room) {
      room.lastId += 1;
      const at = new Date().toISOString();
      // One buffer for all: as a string it would be encoded for each of them.
      const message = Buffer.from(messageOf(room.name, user, frame.content, room.lastId, at));
      for (const other of room.sockets) if (other !== socket) other.send(message, { binary: false });
      socket.send(ackOf(room.lastId, at));
    }
  });
  socket.on('close', () => room?.sockets.delete(socket));
});

listen(http);

function roomOf(name: string): Room {
  const room = rooms.get(name) ?? { name, lastId: 0, sockets: new Set() };
  rooms.set(name, room);
  return room;
}
