/**
 * What a TypeScript team would build instead: socket.io with its Redis adapter, sessions in Redis and, where `DATABASE_URL` is given,
 * an INSERT for each message before it is told to anybody.
 */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Server } from 'socket.io';
import { listen } from './peer-process.ts';

const insertText =
  'insert into message (room_id, sender, content) values ($1, $2, $3) returning id, sent_at as "sentAt"';

interface Stored {
  id: number;
  at: string;
}

interface User {
  user: string;
}

type Done<Reply> = (reply?: Reply) => void;

interface ClientEvents {
  join: (roomId: string, done: Done<never>) => void;
  send: (roomId: string, content: string, done: Done<Stored | { error: string }>) => void;
}

interface ServerEvents {
  message: (message: { room: string; sender: string; content: string; at: string; id: number }) => void;
}

const { REDIS_URL = '', DATABASE_URL } = process.env;
const commands = new Redis(REDIS_URL);
const store = DATABASE_URL === undefined ? createCounter() : createTable(DATABASE_URL);
const http = createServer();
const io = new Server<ClientEvents, ServerEvents, object, User>(http, {
  transports: ['websocket'],
  serveClient: false,
});
io.adapter(createAdapter(new Redis(REDIS_URL), new Redis(REDIS_URL)));

io.use((socket, next) => {
  const { token } = socket.handshake.auth as { token: string };
  commands.hget(`session:${token}`, 'user').then((user) => {
    if (user) socket.data.user = user;
    next(user ? undefined : new Error('error: not authenticated'));
  }, next);
});

io.on('connection', (socket) => {
  socket.on('join', (roomId, done) => {
    void Promise.resolve(socket.join(roomId)).then(() => {
      done();
    });
  });
  socket.on('send', (roomId, content, done) => {
    store(roomId, socket.data.user, content).then(
      ({ id, at }) => {
        socket.to(roomId).emit('message', { room: roomId, sender: socket.data.user, content, at, id });
        done({ at, id });
      },
      (error: unknown) => {
        done({ error: (error as Error).message });
      },
    );
  });
});

listen(http);

type Store = (roomId: string, sender: string, content: string) => Promise<Stored>;

/** Nothing is kept. */
function createCounter(): Store {
  let last = 0;
  return () => {
    last += 1;
    return Promise.resolve({ id: last, at: new Date().toISOString() });
  };
}

function createTable(databaseUrl: string): Store {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  return async (roomId, sender, content) => {
    const { rows } = await pool.query<{ id: string; sentAt: Date }>({
      name: 'insert',
      text: insertText,
      values: [roomId, sender, content],
    });
    const { id, sentAt } = rows[0]!;
    return { id: Number(id), at: sentAt.toISOString() };
  };
}
