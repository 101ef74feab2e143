import { group } from '../check.ts';
import { aTime, expectLike, expectSame, expectThat, someText } from '../expect.ts';
import { list, number, text } from '../fields.ts';
import type { Stage } from '../stage.ts';
import { dataOf, lineOf } from '../wires/login-wire.ts';
import type { Line, LoginWire } from '../wires/login-wire.ts';

const many = 50;

async function two(stage: Stage): Promise<[LoginWire, LoginWire, string]> {
  const anna = await stage.logIn('anna');
  const ben = await stage.logIn('ben');
  return [anna, ben, await stage.room(anna, ben)];
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function idsOf(lines: readonly Line[]): number[] {
  return lines.map(({ id }) => id);
}

/** Sends all at once; answers the confirmations as they came. */
async function sendAll(wire: LoginWire, room_id: string, contents: readonly string[]): Promise<Line[]> {
  for (const [index, content] of contents.entries()) {
    const client_message_id = `${wire.who} ${index}`;
    wire.send({ action: 'send_message', data: { room_id, content, client_message_id } });
  }
  const acks = await wire.collect('confirmations', contents.length, ({ action }) => action === 'ack');
  expectSame(
    'the order of the confirmations',
    acks.map(({ frame }) => dataOf(frame)['client_message_id']),
    contents.map((_, index) => `${wire.who} ${index}`),
  );
  return acks.map(({ frame }, index) => ({
    id: number(dataOf(frame), 'message_id'),
    sender: wire.name,
    content: contents[index]!,
    timestamp: text(dataOf(frame), 'timestamp'),
  }));
}

async function historyOf(wire: LoginWire, room_id: string, page: object = {}) {
  const data = await wire.ask('get_messages', { room_id, ...page });
  return { lines: list(data, 'messages').map(lineOf), hasMore: data['has_more'] };
}

export const messageChecks = group('messages', { section: 'Login dialect', dialects: ['login'] }, [
  {
    id: 'confirmed',
    says: 'A message is confirmed by one `ack` with its id, time, and the `client_message_id` it came with.',
    async run(stage) {
      const [anna, , room_id] = await two(stage);
      const { frame } = await anna.request('send_message', {
        room_id,
        content: 'hello',
        client_message_id: 'a',
      });
      expectLike('the confirmation', frame, {
        action: 'ack',
        status: 'success',
        data: { transaction_id: someText, room_id, message_id: 1, timestamp: aTime, client_message_id: 'a' },
      });
    },
  },
  {
    id: 'delivered',
    says: 'It is delivered to the others under the same id and time, once, and not to the connection that sent it.',
    async run(stage) {
      const [anna, ben, room_id] = await two(stage);
      const ack = await anna.say(room_id, 'hello');
      expectLike('the delivery', await ben.hears(room_id, 'hello'), {
        action: 'receive_message',
        status: 'success',
        data: {
          transaction_id: text(ack, 'transaction_id'),
          room_id,
          sender_chatid: anna.name,
          content: 'hello',
          timestamp: text(ack, 'timestamp'),
          message_id: 1,
        },
      });
      await ben.say(room_id, 'bye');
      await anna.hears(room_id, 'bye');
      expectSame('what came to the sender', idsOf(anna.heard(room_id)), [2]);
      expectSame('what came to the other', idsOf(ben.heard(room_id)), [1]);
    },
  },
  {
    id: 'exact',
    says: 'Content is kept exactly as it was sent, in deliveries and in history.',
    section: 'Transport',
    async run(stage) {
      const [anna, ben, room_id] = await two(stage);
      const contents = [
        '  spaces  ',
        'e\u0301 stays two',
        '\u202eback',
        '👩‍👩‍👧‍👦',
        '"\\/\b\u001f\n',
        '<b>&amp;</b>',
      ];
      for (const content of contents) await anna.say(room_id, content);
      await ben.hears(room_id, contents.at(-1)!);
      expectSame(
        'the deliveries',
        ben.heard(room_id).map(({ content }) => content),
        contents,
      );
      const { lines } = await historyOf(ben, room_id);
      expectSame(
        'the history',
        lines.map(({ content }) => content),
        contents,
      );
    },
  },
  {
    id: 'length',
    says: 'Content has 1 to 8,192 code points; NUL and lone surrogates are `invalid_field`.',
    section: 'Transport',
    async run(stage) {
      const [anna, , room_id] = await two(stage);
      await anna.say(room_id, '𝔘'.repeat(8_192));
      for (const content of ['', '𝔘'.repeat(8_193), 'a\u0000b', 'a\ud800b']) {
        const refused = await anna.refusal('send_message', { room_id, content });
        expectLike(`content of ${content.length} units`, refused, {
          code: 'invalid_field',
          data: { field: 'content' },
        });
      }
      expectLike('the next message', await anna.say(room_id, 'next'), { message_id: 2 });
    },
  },
  {
    id: 'order',
    says: "A room's messages are 1, 2, 3 ... in the order they were sent, and come to everyone in that order, each once.",
    section: 'Guarantees',
    async run(stage) {
      const [anna, ben, room_id] = await two(stage);
      const sent = await sendAll(anna, room_id, upTo(many).map(String));
      expectSame('the ids of the confirmations', idsOf(sent), upTo(many));
      await ben.hears(room_id, String(many));
      expectSame('the deliveries', ben.heard(room_id), sent);
    },
  },
  {
    id: 'order-of-all',
    says: 'Where several send at once, all of them, and history, have one order without hole; nobody gets anything twice.',
    section: 'Guarantees',
    async run(stage) {
      const [anna, ben] = [await stage.logIn('anna'), await stage.logIn('ben')];
      const listener = await stage.logIn('listener');
      const room_id = await stage.room(anna, ben, listener);
      const [byAnna, byBen] = await Promise.all(
        [anna, ben].map((wire) =>
          sendAll(
            wire,
            room_id,
            upTo(many).map((n) => `${wire.who} ${n}`),
          ),
        ),
      );
      const { message_id: last } = await listener.say(room_id, 'the end');
      await Promise.all([anna, ben].map((wire) => wire.hears(room_id, 'the end')));
      const { lines } = await historyOf(listener, room_id, { limit: 1_000 });
      expectSame('the ids of history', idsOf(lines), upTo(2 * many + 1));
      expectSame('the last id', last, 2 * many + 1);
      expectSame(
        'what was confirmed to anna',
        lines.filter(({ sender }) => sender === anna.name),
        byAnna,
      );
      expectSame(
        'what was confirmed to ben',
        lines.filter(({ sender }) => sender === ben.name),
        byBen,
      );
      for (const wire of [anna, ben, listener]) {
        expectSame(
          `the deliveries to ${wire.who}`,
          wire.heard(room_id),
          lines.filter(({ sender }) => sender !== wire.name),
        );
      }
      const times = lines.map(({ timestamp }) => timestamp);
      expectSame('the times', times, [...times].sort());
    },
  },
  {
    id: 'idempotent',
    says: "A `client_message_id` that is used again is confirmed with the first message's id and time, and nothing is stored or delivered.",
    section: 'Guarantees',
    async run(stage) {
      const [anna, ben, room_id] = await two(stage);
      const first = await anna.say(room_id, 'once', { client_message_id: 'the same' });
      const { message_id, timestamp } = first;
      for (const content of ['once', 'something else']) {
        const repeated = await anna.say(room_id, content, { client_message_id: 'the same' });
        expectLike('the repeated confirmation', repeated, { message_id, timestamp });
      }
      const back = await stage.logInAgain(anna);
      const later = await back.say(room_id, 'once', { client_message_id: 'the same' });
      expectLike('on another connection', later, { message_id, timestamp });
      await ben.say(room_id, 'mine', { client_message_id: 'the same' });
      await back.say(room_id, 'the end');
      await ben.hears(room_id, 'the end');
      expectSame(
        'what was delivered',
        ben.heard(room_id).map(({ content }) => content),
        ['once', 'the end'],
      );
      expectSame('the history', idsOf((await historyOf(ben, room_id)).lines), [1, 2, 3]);
    },
  },
  {
    id: 'history',
    says: '`get_messages` pages from the newest back, after an id, before an id and from a time, and says whether there is more.',
    async run(stage) {
      const [anna, ben, room_id] = await two(stage);
      const sent = await sendAll(anna, room_id, upTo(25).map(String));
      const pages: [string, object, number[], boolean][] = [
        ['the newest', { limit: 10 }, upTo(25, 16), true],
        ['before 16', { before_id: 16, limit: 10 }, upTo(15, 6), true],
        ['before 6', { before_id: 6, limit: 10 }, upTo(5), false],
        ['after 0', { after_id: 0, limit: 10 }, upTo(10), true],
        ['after 15', { after_id: 15, limit: 10 }, upTo(25, 16), false],
        ['after the last', { after_id: 25 }, [], false],
        ['all', {}, upTo(25), false],
        ['from the beginning of time', { from_time: '2000-01-01T00:00:00Z', limit: 10 }, upTo(10), true],
        ['with a limit above the largest', { limit: 100_000 }, upTo(25), false],
      ];
      for (const [what, page, ids, more] of pages) {
        const { lines, hasMore } = await historyOf(ben, room_id, page);
        expectSame(what, idsOf(lines), ids);
        expectSame(`has_more, ${what}`, hasMore, more);
        for (const line of lines) expectSame(`message ${line.id}`, line, sent[line.id - 1]);
      }
      const refused = await ben.refusal('get_messages', { room_id, limit: 0 });
      expectLike('a limit of 0', refused, { code: 'invalid_field', data: { field: 'limit' } });
    },
  },
  {
    id: 'resume',
    says: 'After a reconnect, `get_messages` with `after_id` gives exactly what was missed; what is new comes by itself.',
    section: 'Guarantees',
    async run(stage) {
      const [anna, ben, room_id] = await two(stage);
      await sendAll(anna, room_id, upTo(5).map(String));
      await ben.hears(room_id, '5');
      ben.terminate();
      await ben.closed();
      for (const n of upTo(15, 6)) await anna.say(room_id, String(n));
      const back = await stage.logInAgain(ben);
      const missed = await historyOf(back, room_id, { after_id: 5 });
      expectSame('what was missed', idsOf(missed.lines), upTo(15, 6));
      await anna.say(room_id, '16');
      await back.hears(room_id, '16');
      expectSame('what is new', idsOf(back.heard(room_id)), [16]);
    },
  },
  {
    id: 'receipts',
    says: 'With `receipts` a sender hears who has acknowledged its message; `get_receipts` says up to where everyone has.',
    async run(stage) {
      const anna = await stage.logIn('anna', { receipts: true });
      const ben = await stage.logIn('ben');
      const room_id = await stage.room(anna, ben);
      await anna.say(room_id, 'hello');
      const { transaction_id } = dataOf(await ben.hears(room_id, 'hello'));
      ben.send({ action: 'ack', data: { transaction_id } });
      expectLike('the receipt', (await anna.event('message_delivered')).frame, {
        data: { room_id, message_id: 1, chatid: ben.name },
      });
      const receipts = list(await anna.ask('get_receipts', { room_id }), 'receipts');
      const own = receipts.find(({ chatid }) => chatid === ben.name);
      expectLike('the position of the reader', own, { message_id: 1, at: aTime });
    },
  },
  {
    id: 'unknown-transaction',
    says: 'An `ack` of what was never delivered is `invalid_field`.',
    section: 'What the client gets',
    async run(stage) {
      const anna = await stage.logIn('anna');
      const refused = await anna.refusal('ack', { transaction_id: 'never-seen' });
      expectLike('the answer', refused, { code: 'invalid_field', data: { field: 'transaction_id' } });
      expectThat('the connection is closed', anna.closeCode === undefined);
    },
  },
]);
