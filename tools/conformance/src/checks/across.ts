import { dialects, group } from '../check.ts';
import { expectLike, expectSame } from '../expect.ts';
import { number, text } from '../fields.ts';

export const acrossChecks = group('across', { section: 'Wire protocol', dialects }, [
  {
    id: 'one-room',
    says: 'A message that is sent in one dialect is delivered in the others, under the same id, time and name.',
    async run(stage) {
      const owner = await stage.token('owner');
      const room = await stage.publicRoom(owner);
      const login = await stage.logIn('login');
      await login.ask('join_room', { room_id: room.id });
      const identify = await stage.identify('identify');
      await identify.ask('joinRoom', { room: room.name });
      const join = await stage.join('join', room.id);

      const ack = await login.say(room.id, 'by login');
      await identify.say(room.name, 'by identify');
      await join.say(room.id, 'by join');
      await login.hears(room.id, 'by join');
      await identify.hears(room.name, 'by join');
      const heard = identify.heard(room.name);
      expectLike('the message by login', heard[0], {
        id: number(ack, 'message_id'),
        sender: login.name,
        timestamp: text(ack, 'timestamp'),
        content: 'by login',
      });
      expectSame(
        'the messages',
        heard.map(({ id, content }) => [id, content]),
        [
          [1, 'by login'],
          [2, 'by identify'],
          [3, 'by join'],
        ],
      );
      expectSame('the messages in the join dialect', join.heard(room.id), heard);
      expectSame('the deliveries in the login dialect', login.heard(room.id), heard.slice(1));
    },
  },
]);
