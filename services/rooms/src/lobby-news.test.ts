import { expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import type { LobbyChanged, RoomId } from '@parley/protocol';
import { createLog } from '@parley/service-kit';
import { until } from '@parley/test-kit';
import { LobbyNews } from './lobby-news.ts';
import type { StoredRoom } from './store.ts';

/** News of rooms whose names are read when the test says so. */
function slowNews() {
  const reading: PromiseWithResolvers<unknown>[] = [];
  const told: LobbyChanged[] = [];
  const news = new LobbyNews({
    store: {
      async findMany(roomIds) {
        const read = Promise.withResolvers<unknown>();
        reading.push(read);
        await read.promise;
        return roomIds.map((roomId) => ({ roomId, name: 'tea', visibility: 'public' }) as StoredRoom);
      },
    },
    presence: {
      countAnew: (roomIds) => Promise.resolve({ version: 1, counts: roomIds.map(() => 0) }),
      unlist: () => Promise.resolve(),
    },
    events: { lobbyChanged: (event) => told.push(event) },
    log: createLog('test', 'silent'),
  });
  return { news, reading, roomsTold: () => told.flatMap(({ rooms }) => rooms.map(({ roomId }) => roomId)) };
}

test('what changes while others are told of is told, too, though it closes meanwhile', async () => {
  const [first, second]: RoomId[] = [createId('room'), createId('room')];
  const { news, reading, roomsTold } = slowNews();
  news.changed([first!]);
  await until('the first is read', () => reading.length === 1);
  news.changed([second!]);
  const closed = news[Symbol.asyncDispose]();
  reading[0]!.resolve(undefined);
  await until('the second is read', () => reading.length === 2);
  reading[1]!.resolve(undefined);
  await closed;
  expect(roomsTold()).toEqual([first, second]);
});

test('what cannot be told while it closes is given up', async () => {
  const { news, reading, roomsTold } = slowNews();
  news.changed([createId('room')]);
  await until('it is read', () => reading.length === 1);
  const closed = news[Symbol.asyncDispose]();
  reading[0]!.reject(new Error('no Postgres'));
  await closed;
  expect([reading.length, roomsTold()]).toEqual([1, []]);
});
