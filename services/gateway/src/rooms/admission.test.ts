import { describe, expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import type { Caller, Room, RoomId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { Admission } from './admission.ts';
import type { RoomChannels } from './room-channels.ts';

const roomId = createId('room');
const room: Room = { roomId, name: 'tea', visibility: 'private', owner: 'anna' };
const anna: Caller = { userId: createId('user'), name: 'anna' };
const other = createId('user');

/** A bus on which the rooms service lets everybody in. */
const bus = {
  call: () => Promise.resolve({ room, user: anna }),
  callTogether: () => Promise.resolve({ rooms: [room] }),
} as unknown as Pick<Bus, 'call' | 'callTogether'>;

describe('an admission', () => {
  const change = { type: 'member-joined', roomId, roomName: 'tea', user: anna } as const;

  test.each([
    [
      'a reply to who joins',
      async () => (await Admission.byJoining(bus, roomId, createContext(1, anna))).admission,
    ],
    [
      'the memberships of who asks',
      async () => (await Admission.ofMember(bus, createContext(1, anna)))[0]!.admission,
    ],
    [
      'an event on the user’s subject',
      () =>
        Admission.byEvent(anna.userId, {
          type: 'entered-room',
          roomId,
          sinceId: 0,
          change,
          origin: undefined,
        }),
    ],
  ])('by %s is of that user, to that room', async (_what, admit) => {
    const admission = await admit();
    expect(admission.roomId).toBe(roomId);
    expect([admission.isOf(anna.userId), admission.isOf(other)]).toEqual([true, false]);
  });

  test('is of nobody where nobody asks', async () => {
    const asNobody = createContext(1);
    await expect(Admission.byJoining(bus, roomId, asNobody)).rejects.toMatchObject({
      code: 'not_authenticated',
    });
    await expect(Admission.ofMember(bus, asNobody)).rejects.toMatchObject({ code: 'not_authenticated' });
  });

  test('can be made of nothing else', () => {
    type Needed = Parameters<RoomChannels['attach']>[1];
    // These would not compile as `false` if a connection got in by them.
    const byId: RoomId extends Needed ? true : false = false;
    const byRoom: Room extends Needed ? true : false = false;
    const byLikeness: Pick<Admission, 'roomId' | 'isOf'> extends Needed ? true : false = false;
    // @ts-expect-error Nobody else makes one.
    const made: () => Admission = () => new Admission(anna.userId, roomId);
    expect([byId, byRoom, byLikeness, made]).toHaveLength(4);
  });
});
