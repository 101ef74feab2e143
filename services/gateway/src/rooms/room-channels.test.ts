import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createId, defaultDialect, findLastIds, findRooms, ParleyError, replay } from '@parley/protocol';
import type { Caller, EnteredRoom, Method, Room, RoomId } from '@parley/protocol';
import { createLog } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { until } from '@parley/test-kit';
import type { Connection } from '../connection/connection.ts';
import { Admission } from './admission.ts';
import type { PresenceReporter } from './presence-reporter.ts';
import { RoomChannels } from './room-channels.ts';

const roomId = createId('room');
const room: Room = { roomId, name: 'tea', visibility: 'private', owner: 'anna' };
const message = {
  ...{ id: 1, senderId: createId('user'), sender: 'anna' },
  ...{ content: 'hello', sentAt: '2024-01-01T12:00:00.000Z' },
};

let members: Caller['userId'][];
let exists: boolean;
let channels: RoomChannels;
let doubted: [Connection, RoomId][];
let gone: Connection[];

/** The services, which know who is in the room. */
const bus = {
  call(method: Method, request: any): Promise<unknown> {
    if (method === findLastIds) return Promise.resolve({ lastIds: [0] });
    if (method === findRooms) {
      const isIn = members.includes(request.rooms[0].userId);
      return Promise.resolve({
        rooms: exists && isIn ? [room] : [],
        closed: exists && !isIn ? [roomId] : [],
      });
    }
    expect(method).toBe(replay);
    if (!exists) return Promise.reject(new ParleyError('room_not_found'));
    return members.includes(request.readerId)
      ? Promise.resolve({ roomId, messages: [message], hasMore: false })
      : Promise.reject(new ParleyError('not_in_room'));
  },
  subscribe: () => ({ unsubscribe() {} }),
  onReconnect() {},
} as unknown as Bus;

beforeEach(() => {
  [members, exists, doubted, gone] = [[], true, [], []];
  channels = new RoomChannels({
    bus,
    log: createLog('test', 'silent'),
    requestTimeoutMs: 5_000,
    presence: { enter() {}, leave() {} } as unknown as PresenceReporter,
    roomGone: (connection) => {
      gone.push(connection);
      channels.detach(connection, roomId);
    },
    doubted: (connection, ofRoom) => {
      doubted.push([connection, ofRoom]);
      channels.detach(connection, ofRoom);
    },
  });
});
afterEach(() => {
  channels[Symbol.dispose]();
});

/** A connection of a user of its own. */
function open(): Connection & { written: string[] } {
  const written: string[] = [];
  const user = { userId: createId('user'), name: 'somebody' };
  const connection = {
    ...{ id: createId('connection'), dialect: defaultDialect('/'), user, session: user, written },
    isKeepingUp: () => true,
    write: (frames: Buffer) => written.push(frames.toString('latin1')),
    tell: ({ type, ...event }: { type: string }) => written.push(`${type} ${JSON.stringify(event)}`),
  };
  return connection as unknown as Connection & { written: string[] };
}

function enter(connection: Connection, after?: number, told: Partial<EnteredRoom> = {}, roomName = 'tea') {
  const { userId, name } = connection.user;
  const change = { type: 'member-joined', roomId, roomName, user: { userId, name } } as const;
  const event: EnteredRoom = { type: 'entered-room', roomId, sinceId: 0, change, origin: undefined, ...told };
  return channels.attach(connection, Admission.byEvent(userId, event), after);
}

describe('a room’s channel', () => {
  test('takes nobody in by the admission of another', () => {
    const [anna, berta] = [open(), open()];
    const change = { type: 'member-joined', roomId, roomName: 'tea', user: anna.user } as const;
    const event: EnteredRoom = { type: 'entered-room', roomId, sinceId: 0, change, origin: undefined };
    const admission = Admission.byEvent(anna.user.userId, event);
    expect(() => channels.attach(berta, admission)).toThrow('the admission of another user');
    expect(channels.has(berta, roomId)).toBe(false);
  });

  test('that is closed to the first one begins for the next, and the first is looked after', async () => {
    const [outsider, member] = [open(), open()];
    members = [member.user.userId];
    await Promise.all([enter(outsider), enter(member)]);
    expect(doubted).toEqual([[outsider, roomId]]);
    await until('it has begun', () => channels.nameOf(roomId) === 'tea');
    channels.noticeLastId(roomId, 1);
    await until('the message', () => member.written.join('').includes('hello'));
    expect(outsider.written).toEqual([]);
  });

  test('that was renamed before it was heard of tells who knows its old name, but for who asked', async () => {
    const [creator, added, later] = [open(), open(), open()];
    members = [creator.user.userId, added.user.userId, later.user.userId];
    await Promise.all([
      enter(creator, undefined, { origin: creator.id }, 'coffee'),
      enter(added, undefined, {}, 'coffee'),
      enter(later),
    ]);
    const renamed = { roomId, oldName: 'coffee', newName: 'tea' };
    expect(added.written).toEqual([`room-renamed ${JSON.stringify(renamed)}`]);
    expect([...creator.written, ...later.written]).toEqual([]);
  });

  test('is repaired for those who are in the room: who is not gets nothing and is looked after', async () => {
    const [removed, member] = [open(), open()];
    members = [removed.user.userId, member.user.userId];
    await Promise.all([enter(removed), enter(member)]);
    members = [member.user.userId];
    channels.noticeLastId(roomId, 1);
    await until('the message', () => member.written.join('').includes('hello'));
    expect(doubted).toEqual([[removed, roomId]]);
    expect(removed.written).toEqual([]);
  });

  test('brings nobody up who is not in the room', async () => {
    const [outsider, member] = [open(), open()];
    members = [member.user.userId];
    await enter(member);
    channels.noticeLastId(roomId, 1);
    await until('the message', () => member.written.length > 0);
    await enter(outsider, 0);
    await until('it is looked after', () => doubted.length > 0);
    expect(outsider.written).toEqual([]);
  });

  test('of a room that is gone, unheard, is empty as soon as history is asked for', async () => {
    const member = open();
    members = [member.user.userId];
    await enter(member);
    exists = false;
    await expect(channels.readAfter(member, roomId, 0)).rejects.toMatchObject({ code: 'room_not_found' });
    expect(gone).toEqual([member]);
  });
});

test('who is nobody any more reads nothing', async () => {
  const member = open();
  members = [member.user.userId];
  await enter(member);
  member.session = undefined;
  await expect(channels.readAfter(member, roomId, 0)).rejects.toMatchObject({ code: 'unavailable' });
});
