import { askUntil } from '../ask-until.ts';
import { group } from '../check.ts';
import { expectLike, expectSame, expectThat, someText } from '../expect.ts';
import { list, number, text } from '../fields.ts';
import type { Stage } from '../stage.ts';
import { acknowledge, checkCount, closing, confirm, count, exchange, offer } from '../wires/exchange.ts';
import { dataOf } from '../wires/login-wire.ts';
import type { LoginWire } from '../wires/login-wire.ts';
import type { Got } from '../wires/wire.ts';

const mostResends = 5;
const mostInFlight = 32;

/** Logs in under the handshake. */
async function shake(stage: Stage, who: string): Promise<LoginWire> {
  const { name, password } = await stage.newAccount(who);
  const wire = await stage.connectLogin(who);
  return shakeAs(wire, name, { password });
}

async function shakeAs(wire: LoginWire, name: string, proof: object): Promise<LoginWire> {
  const reply = await exchange(wire, 'login', { chatid: name, ...proof, handshake: true });
  expectLike('the login', reply, { action: 'login_success' });
  wire.name = name;
  wire.sessionKey = text(dataOf(reply), 'session_key');
  return wire;
}

/** Somebody who writes without the handshake, and one who reads under it, in a room. */
interface Pair {
  writer: LoginWire;
  reader: LoginWire;
  room_id: string;
}

async function pair(stage: Stage): Promise<Pair> {
  const [writer, reader] = [await stage.logIn('writer'), await shake(stage, 'reader')];
  return { writer, reader, room_id: await stage.room(writer, reader) };
}

function delivery(wire: LoginWire): Promise<Got> {
  return wire.event('receive_message');
}

function idOf(got: Got): number {
  return number(dataOf(got.frame), 'message_id');
}

/** Asks up to where the reader has acknowledged everything, until it is there. @throws Failure */
async function expectPosition(
  stage: Stage,
  { writer, reader, room_id }: Pair,
  expected: number,
): Promise<void> {
  const ask = async (): Promise<unknown> => {
    const receipts = list(await writer.ask('get_receipts', { room_id }), 'receipts');
    return receipts.find(({ chatid }) => chatid === reader.name)?.['message_id'];
  };
  const position = await askUntil(stage, ask, (told) => told === expected);
  expectThat(
    `the receipts of the reader stay at ${String(position)}, not ${expected}`,
    position === expected,
  );
}

const requests = group('handshake', { section: 'What the client sends', dialects: ['login'] }, [
  {
    id: 'login',
    says: 'A login that asks for the handshake is under it: it is counted, confirmed, answered, and closed by an `ack`.',
    async run(stage) {
      const { name, password } = await stage.newAccount('anna');
      const wire = await stage.connectLogin('anna');
      const transaction_id = await offer(wire, 'login', { chatid: name, password, handshake: true });
      confirm(wire, transaction_id);
      expectLike('the reply', (await wire.next('the reply')).frame, {
        action: 'login_success',
        data: { chatid: name, session_key: someText, transaction_id },
      });
      expectLike('what closes it', (await wire.next('the ack')).frame, {
        action: 'ack',
        status: 'success',
        data: { transaction_id },
      });
    },
  },
  {
    id: 'failed-login',
    says: 'A failed login leaves the connection as it was: without the handshake.',
    section: 'Integrity handshake',
    async run(stage) {
      const { name, password } = await stage.newAccount('anna');
      const wire = await stage.connectLogin('anna');
      const reply = await exchange(wire, 'login', { chatid: name, password: 'another one', handshake: true });
      expectLike('the answer', reply, { action: 'login_fail', code: 'invalid_credentials' });
      await wire.logIn(name, { password });
    },
  },
  {
    id: 'counts',
    says: 'Every code point of the text of the frame is counted, exactly as it was sent.',
    section: 'Integrity handshake',
    async run(stage) {
      const wire = await shake(stage, 'anna');
      const texts = [
        '{"action":"get_rooms"}',
        ' { "action" : "get_rooms",\n\t"data" : { "note" : "\\u00fc ü 😀 \\" \\\\ \\n" } } ',
        `{"action":"get_rooms","data":{"note":"${'👩‍👩‍👧'.repeat(50)}"}}`,
        '{"action":"get_rooms","data":{"__proto__":"constructor","note":"\\\\\\\\\\"\\""}}',
      ];
      for (const sent of texts) {
        wire.send(sent);
        const transaction_id = checkCount(await wire.event('character_count'), 'get_rooms', sent);
        confirm(wire, transaction_id);
        await closing(wire, transaction_id);
      }
    },
  },
  {
    id: 'in-order',
    says: 'Counts come in the order of the requests.',
    async run(stage) {
      const wire = await shake(stage, 'anna');
      const texts = Array.from({ length: 20 }, (_, n) => `{"action":"get_rooms"${' '.repeat(n)}}`);
      for (const sent of texts) wire.send(sent);
      const counts = await wire.collect('counts', texts.length, ({ action }) => action === 'character_count');
      for (const [index, got] of counts.entries()) confirm(wire, checkCount(got, 'get_rooms', texts[index]!));
      await wire.collect('replies', texts.length, ({ action }) => action === 'rooms_list');
    },
  },
  {
    id: 'one-ack',
    says: "A message has one `ack` for both, with the exchange's id.",
    async run(stage) {
      const wire = await shake(stage, 'anna');
      const room = await exchange(wire, 'create_room', { participants: [], room_name: 'x' });
      const { room_id } = dataOf(room);
      const before = wire.all('ack').length;
      const transaction_id = await offer(wire, 'send_message', { room_id, content: 'hello' });
      expectSame('what came before it was confirmed', wire.all('ack').length, before);
      confirm(wire, transaction_id);
      expectLike('the ack', (await closing(wire, transaction_id)).frame, {
        status: 'success',
        data: { room_id, message_id: 1 },
      });
      await exchange(wire, 'get_rooms', {});
      expectSame('the number of acks', wire.all('ack').length, before + 2);
    },
  },
  {
    id: 'mismatch',
    says: 'What the client does not confirm is not done: an `ack` with `handshake_mismatch`.',
    async run(stage) {
      const wire = await shake(stage, 'anna');
      const room = await exchange(wire, 'create_room', { participants: [], room_name: 'x' });
      const { room_id } = dataOf(room);
      const transaction_id = await offer(wire, 'send_message', { room_id, content: 'garbled' });
      confirm(wire, transaction_id, false);
      expectLike('the answer', (await closing(wire, transaction_id)).frame, {
        status: 'error',
        code: 'handshake_mismatch',
      });
      const history = await exchange(wire, 'get_messages', { room_id });
      expectSame('the messages', list(dataOf(history), 'messages'), []);
    },
  },
  {
    id: 'errors',
    says: 'An error ends the exchange without an `ack` and has its id; a malformed request gets its error at once.',
    async run(stage) {
      const wire = await shake(stage, 'anna');
      const before = wire.all('ack').length;
      const refused = await exchange(wire, 'delete_room', { room_id: 'nowhere' });
      expectLike('the error', refused, {
        action: 'error',
        code: 'room_not_found',
        data: { transaction_id: someText },
      });
      wire.send({ action: 'delete_room', data: {} });
      const malformed = await wire.next('the error', ({ action }) => action !== 'ack');
      expectLike('the answer to a malformed request', malformed.frame, {
        action: 'error',
        code: 'missing_field',
      });
      await exchange(wire, 'get_rooms', {});
      expectSame('the number of acks', wire.all('ack').length, before + 1);
    },
  },
]);

const deliveries = group('handshake', { section: 'What the client gets', dialects: ['login'] }, [
  {
    id: 'delivery',
    says: 'A delivery is counted by the client, confirmed by the server and acknowledged: that is the receipt.',
    async run(stage) {
      const both = await pair(stage);
      const { writer, reader, room_id } = both;
      await writer.say(room_id, 'hëllo 💬 "\\"');
      const got = await delivery(reader);
      expectThat('the server finds a right count wrong', await count(reader, got));
      acknowledge(reader, got);
      await expectPosition(stage, both, 1);
    },
  },
  {
    id: 'wrong-count',
    says: 'After a wrong count the same frame comes again, letter for letter.',
    async run(stage) {
      const both = await pair(stage);
      const { writer, reader, room_id } = both;
      await writer.say(room_id, 'hello');
      const first = await delivery(reader);
      expectThat('the server finds a wrong count right', !(await count(reader, first, `${first.text}x`)));
      const again = await delivery(reader);
      expectSame('the frame that came again', again.text, first.text);
      expectThat('the server finds a right count wrong', await count(reader, again));
      acknowledge(reader, again);
      await expectPosition(stage, both, 1);
    },
  },
  {
    id: 'given-up',
    says: 'A frame comes again 5 times at most; then it stays unacknowledged and the next go on.',
    async run(stage) {
      const both = await pair(stage);
      const { writer, reader, room_id } = both;
      await writer.say(room_id, 'wrong for ever');
      for (let time = 0; time <= mostResends; time += 1) {
        const got = await delivery(reader);
        expectSame('the message', idOf(got), 1);
        expectThat('the server finds a wrong count right', !(await count(reader, got, `${got.text}x`)));
      }
      await writer.say(room_id, 'the next');
      const next = await delivery(reader);
      expectSame('the message that came next', idOf(next), 2);
      await count(reader, next);
      acknowledge(reader, next);
      await expectPosition(stage, both, 0);
    },
  },
  {
    id: 'window',
    says: 'Up to 32 frames are unacknowledged at a time, in order.',
    async run(stage) {
      const { writer, reader, room_id } = await pair(stage);
      for (let n = 0; n < mostInFlight + 3; n += 1) {
        writer.send({ action: 'send_message', data: { room_id, content: String(n) } });
      }
      const isDelivery = ({ action }: Got) => action === 'receive_message';
      const inFlight = await reader.collect('deliveries', mostInFlight, isDelivery);
      const expected = inFlight.map((_, index) => index + 1);
      expectSame('the messages in flight', inFlight.map(idOf), expected);
      await writer.collect('confirmations', mostInFlight + 3, ({ action }) => action === 'ack');
      await exchange(reader, 'get_rooms', {});
      // Of a slow server some may have come again by now, as they met with silence.
      const newest = Math.max(...reader.all('receive_message').map(idOf));
      expectSame('the last one before any was acknowledged', newest, mostInFlight);
      await count(reader, inFlight[0]!);
      acknowledge(reader, inFlight[0]!);
      await reader.next(
        'the message that follows',
        (got) => isDelivery(got) && idOf(got) === mostInFlight + 1,
      );
    },
  },
  {
    id: 'owed',
    says: 'At the next login what was not acknowledged comes first, in order, and only that; then what is new.',
    async run(stage) {
      const both = await pair(stage);
      const { writer, reader, room_id } = both;
      for (const content of ['one', 'two', 'three']) await writer.say(room_id, content);
      for (const id of [1, 2, 3]) {
        const got = await delivery(reader);
        expectSame('the message', idOf(got), id);
        await count(reader, got);
        if (id !== 2) acknowledge(reader, got);
      }
      await expectPosition(stage, both, 1);
      // What the server was told last is known to it once it has answered something else.
      await exchange(reader, 'get_rooms', {});
      reader.terminate();
      await reader.closed();
      await writer.say(room_id, 'four');
      const back = await stage.connectLogin('reader');
      await shakeAs(back, reader.name, { session_key: reader.sessionKey });
      await writer.say(room_id, 'five');
      const ids: number[] = [];
      while (ids.at(-1) !== 5) {
        const got = await delivery(back);
        ids.push(idOf(got));
        await count(back, got);
        acknowledge(back, got);
      }
      expectSame('the messages that came', ids, [2, 4, 5]);
      await expectPosition(stage, both, 5);
    },
  },
]);

export const handshakeChecks = [...requests, ...deliveries];
