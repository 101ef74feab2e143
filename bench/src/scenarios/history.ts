import { createId, type RoomId } from '@parley/protocol';
import type { Stack } from '@parley/local-stack';
import pg from 'pg';
import { startParleyContender } from '../contenders/index.ts';
import { createUsers, storeSeeds, type SeededUser } from '../contenders/seeds.ts';
import type { Problem } from '../audit.ts';
import { Histogram } from '../histogram.ts';
import { counted } from '../loaded.ts';
import { LoginConnection } from '../login-connection.ts';
import { readServed } from '../served.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';

type HistoryOptions = { messages: number; page: number; pages: number; bytes: number };

const method = 'messages.readHistory';
const stepSeconds = 60;
/** Pages that are read before the clock runs. */
const warmUpPages = 50;

/** What each page is asked by: the bounds of the request, from 0 to 1 through the room. */
const questions: Readonly<Record<string, (place: number, room: FilledRoom) => object>> = {
  newest: () => ({}),
  'before an id': (place, { messages }) => ({ before_id: 2 + Math.floor(place * messages) }),
  'after an id': (place, { messages }) => ({ after_id: Math.floor(place * messages) }),
  'from a time': (place, { firstAt, messages }) => ({
    from_time: new Date(firstAt + Math.floor(place * messages) * 1_000).toISOString(),
  }),
};

interface FilledRoom {
  /** What its parts are called by. */
  size: string;
  roomId: RoomId;
  messages: number;
  /** When the first was sent; the others follow a second behind each other. In ms since 1970. */
  firstAt: number;
}

/** How long a page of history takes, in rooms of any size. */
export const history: Scenario<HistoryOptions> = {
  name: 'history',
  summary: 'a page of history from a small room and a large one: in the service and at the client',
  peers: [],
  plots: ['pageP50Ms', 'serviceMeanMs'],
  grows: ['messages'],
  options: {
    messages: { doc: 'messages of the large room', standard: '5000000', min: 100, max: 100_000_000 },
    page: { doc: 'messages of a page', standard: '100', min: 1, max: 1_000 },
    pages: { doc: 'pages that are read in each way', standard: '1000', min: 1, max: 1_000_000 },
    bytes: { doc: 'length of a message’s content', standard: '200', min: 1, max: 8_192 },
  },

  headline: ({ messages, page }) =>
    `History: pages of ${counted(page, 'message')} from a room of ${number(messages)}, beside a room of ${number(smallOf(messages))}`,

  async measure({ options, profileDir, log, abort }) {
    const { messages, page, pages, bytes } = options;
    await using parley = await startParleyContender({ gateways: 1, profileDir, log, abort });
    const { stack } = parley;
    const users = createUsers('bench', 1) as [SeededUser];
    const filled = Object.entries({ small: smallOf(messages), large: messages }).map(([size, count]) => ({
      size,
      roomId: createId('room'),
      messages: count,
      firstAt: Date.now() - (count + stepSeconds) * 1_000,
    }));
    await storeSeeds(
      stack.servers.addresses,
      users,
      filled.map(({ roomId }) => ({
        roomId,
        name: 'filled',
        visibility: 'private' as const,
        members: users,
      })),
    );
    await fill(stack, users[0], filled, bytes);
    const reader = await LoginConnection.open(stack.gateways[0]!.webSocketUrl, {
      onDelivery: () => undefined,
      onLost: () => undefined,
    });
    await reader.ask('login', { chatid: users[0].name, session_key: users[0].sessionKey });
    const parts: Part[] = [];
    const problems: Problem[] = [];
    for (const room of filled) {
      for (const [name, boundsAt] of Object.entries(questions)) {
        const title = `${room.size} room, ${name}`;
        const ask = { roomId: room.roomId, limit: page, boundsAt: (place: number) => boundsAt(place, room) };
        await readPages(reader, ask, warmUpPages);
        const before = await readServed(stack, method);
        const { times, wrong } = await readPages(reader, ask, pages);
        const served = await readServed(stack, method);
        parts.push({
          name: title,
          values: {
            pageP50Ms: times.percentile(0.5) / 1_000,
            pageP99Ms: times.percentile(0.99) / 1_000,
            serviceMeanMs: ((served.seconds - before.seconds) * 1_000) / (served.count - before.count),
          },
        });
        if (wrong > 0) problems.push({ what: `wrong pages, ${title}`, count: wrong, example: '' });
      }
    }
    reader.close();
    return {
      facts: parley.facts,
      parts,
      audit: { text: `${number(parts.length * pages)} pages read, ids without a hole in each`, problems },
    };
  },
};

function smallOf(messages: number): number {
  return Math.max(Math.floor(messages / 1_000), 100);
}

/** Straight into the table, as sending that many would take hours. */
async function fill(
  { servers }: Pick<Stack, 'servers'>,
  { userId, name }: SeededUser,
  rooms: readonly FilledRoom[],
  bytes: number,
): Promise<void> {
  const client = new pg.Client(servers.addresses.databaseUrl);
  await client.connect();
  try {
    for (const { roomId, messages, firstAt } of rooms) {
      await client.query(
        `insert into messages.message (room_id, id, sender_id, sender, content, sent_at)
         select $1, id, $2, $3, rpad(id::text || ' ', $4, 'abcdefghijklmnopqrstuvwxyz '), $5::timestamptz + (id - 1) * interval '1 s'
         from generate_series(1, $6::bigint) as id`,
        [roomId, userId, name, bytes, new Date(firstAt), messages],
      );
      await client.query(
        `insert into messages.room (room_id, last_id, last_sent_at) select room_id, id, sent_at
         from messages.message where room_id = $1 and id = $2`,
        [roomId, messages],
      );
    }
    await client.query('vacuum analyze messages.message');
  } finally {
    await client.end();
  }
}

interface PagesAsked {
  roomId: RoomId;
  limit: number;
  boundsAt: (place: number) => object;
}

/** One page at a time, at places spread over the room. Times are in microseconds. */
async function readPages(
  reader: LoginConnection,
  { roomId, limit, boundsAt }: PagesAsked,
  pages: number,
): Promise<{ times: Histogram; wrong: number }> {
  const times = new Histogram();
  let wrong = 0;
  for (let read = 0; read < pages; read += 1) {
    // Not one behind the other: what was read just now would be at hand still.
    const bounds = boundsAt((read * 0.618_034) % 1);
    const startedAt = performance.now();
    const { messages } = (await reader.ask('get_messages', { room_id: roomId, limit, ...bounds })) as {
      messages: { message_id: number }[];
    };
    times.record((performance.now() - startedAt) * 1_000);
    const isWhole = messages.every(
      ({ message_id: id }, index) => index === 0 || id === messages[index - 1]!.message_id + 1,
    );
    if (!isWhole || messages.length === 0) wrong += 1;
  }
  return { times, wrong };
}
