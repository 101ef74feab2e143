import { createId } from '@parley/protocol';
import { startParleyContender } from '../contenders/index.ts';
import { createUsers, storeSeeds, type SeededRoom, type SeededUser } from '../contenders/seeds.ts';
import type { Problem } from '../audit.ts';
import { Histogram } from '../histogram.ts';
import { counted } from '../loaded.ts';
import { LoginConnection } from '../login-connection.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';

type ScaleOptions = { members: number; rooms: number; times: number };

const fewMembers = 10;
const fewRooms = 1;
/** Requests of each kind before the clock runs. */
const warmUps = 20;

/** Whether what one does costs more in a large room, and for who is in many rooms. */
export const scale: Scenario<ScaleOptions> = {
  name: 'scale',
  summary:
    'a join, a message and a login, one at a time: in a large room beside a small one, in many rooms beside one',
  peers: [],
  plots: ['requestP50Ms'],
  grows: ['members', 'rooms'],
  options: {
    members: {
      doc: 'members of the large room with the one who joins, as many as a room may have; one is online',
      standard: '10000',
      min: 11,
      max: 1_000_000,
    },
    rooms: { doc: 'rooms that the second user is in', standard: '1000', min: 2, max: 100_000 },
    times: { doc: 'how often each thing is done', standard: '200', min: 1, max: 100_000 },
  },

  headline: ({ members, rooms, times }) =>
    `Scale: a room of ${number(members)} members beside one of ${fewMembers}, a user in ${counted(rooms, 'room')} beside one in ${fewRooms}, ${number(times)} times each`,

  async measure({ options, profileDir, log, abort }) {
    const { members, rooms, times } = options;
    await using parley = await startParleyContender({ gateways: 1, profileDir, log, abort });
    const { servers, gateways } = parley.stack;
    const [joiner, inOne, inMany, ...crowd] = createUsers('bench', members + 2) as [
      SeededUser,
      SeededUser,
      SeededUser,
      ...SeededUser[],
    ];
    const small = createRoom('small', 'public', crowd.slice(0, fewMembers));
    const large = createRoom('large', 'public', crowd);
    const one = createRoom('one', 'private', [inOne]);
    const many = Array.from({ length: rooms }, () => createRoom('of many', 'private', [inMany]));
    await storeSeeds(servers.addresses, [joiner, inOne, inMany, ...crowd], [small, large, one, ...many]);

    const { webSocketUrl } = gateways[0]!;
    const problems: Problem[] = [];
    const parts: Part[] = [];
    const measure = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      for (let time = 0; time < warmUps; time += 1) await work();
      const histogram = new Histogram();
      for (let time = 0; time < times; time += 1) {
        const startedAt = performance.now();
        await work();
        histogram.record((performance.now() - startedAt) * 1_000);
      }
      const { p50, p99, max } = histogram.summary();
      const values = { requestP50Ms: p50 / 1_000, requestP99Ms: p99 / 1_000, requestMaxMs: max / 1_000 };
      parts.push({ name, values });
    };
    const sender = (connection: LoginConnection, { roomId }: SeededRoom, where: string) => {
      let last = 0;
      return async (): Promise<void> => {
        const { message_id: id } = await connection.ask('send_message', {
          room_id: roomId,
          content: 'hello',
        });
        if (id !== last + 1)
          problems.push({ what: `an id was skipped in ${where}`, count: 1, example: `${last}` });
        last = Number(id);
      };
    };

    for (const room of [small, large]) {
      const where = `${room.name} room`;
      const member = await logIn(webSocketUrl, room.members.at(-1)!);
      await measure(`message, ${where}`, sender(member, room, where));
      const stranger = await logIn(webSocketUrl, joiner);
      await measure(`join and leave, ${where}`, async () => {
        await stranger.ask('join_room', { room_id: room.roomId });
        await stranger.ask('leave_room', { room_id: room.roomId });
      });
      stranger.close();
      member.close();
      await measure(`login, ${where}`, async () => {
        (await logIn(webSocketUrl, room.members.at(-1)!)).close();
      });
    }
    for (const [where, user, room] of [
      ['one room', inOne, one],
      ['many rooms', inMany, many[0]!],
    ] as const) {
      await measure(`login, in ${where}`, async () => {
        (await logIn(webSocketUrl, user)).close();
      });
      const connection = await logIn(webSocketUrl, user);
      await measure(`message, in ${where}`, sender(connection, room, where));
      connection.close();
    }
    return {
      facts: parley.facts,
      parts,
      audit: { text: 'every request answered, ids of messages without a hole', problems },
    };
  },
};

function createRoom(
  name: string,
  visibility: SeededRoom['visibility'],
  members: readonly SeededUser[],
): SeededRoom {
  return { roomId: createId('room'), name, visibility, members };
}

async function logIn(webSocketUrl: string, { name, sessionKey }: SeededUser): Promise<LoginConnection> {
  const connection = await LoginConnection.open(webSocketUrl, {
    onDelivery: () => undefined,
    onLost: () => undefined,
  });
  await connection.ask('login', { chatid: name, session_key: sessionKey });
  return connection;
}
