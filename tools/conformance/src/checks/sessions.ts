import { group } from '../check.ts';
import { expectLike, expectSame, expectThat, noValue, someText } from '../expect.ts';
import { text } from '../fields.ts';
import { dataOf } from '../wires/login-wire.ts';

const wrongPassword = 'another password';

export const sessionChecks = group('login', { section: 'Login dialect', dialects: ['login'] }, [
  {
    id: 'register',
    says: '`register` makes an account, once; its name is trimmed, its password has 8 to 256 characters.',
    async run(stage) {
      const wire = await stage.connectLogin();
      const chatid = stage.newName('anna');
      const registered = await wire.request('register', { chatid: ` ${chatid} `, password: 'long enough' });
      expectLike('the reply', registered.frame, {
        action: 'register_success',
        status: 'success',
        message: someText,
        data: { chatid },
      });
      const again = await wire.refusal('register', { chatid, password: 'long enough' });
      expectLike('the second time', again, { action: 'error', code: 'username_taken' });
      const short = await wire.refusal('register', { chatid: stage.newName('ben'), password: '1234567' });
      expectLike('a short password', short, { code: 'invalid_field', data: { field: 'password' } });
    },
  },
  {
    id: 'names',
    says: 'A name has 1 to 64 code points and no control characters.',
    async run(stage) {
      const wire = await stage.connectLogin();
      const password = 'long enough';
      const name = stage.newName('😀');
      await wire.ask('register', { chatid: name.padEnd(64 + 1, 'x'), password });
      for (const chatid of [name.padEnd(64 + 2, 'y'), '   ', `${name}\t`.padEnd(30, 'z')]) {
        const refused = await wire.refusal('register', { chatid, password });
        expectLike(`the name ${JSON.stringify(chatid)}`, refused, {
          code: 'invalid_field',
          data: { field: 'chatid' },
        });
      }
    },
  },
  {
    id: 'login',
    says: '`login` answers `login_success` with the name and a session key.',
    async run(stage) {
      const { name, password } = await stage.newAccount('anna');
      const wire = await stage.connectLogin();
      const { frame } = await wire.request('login', { chatid: name, password });
      expectLike('the reply', frame, {
        action: 'login_success',
        status: 'success',
        message: someText,
        data: { chatid: name, session_key: someText },
      });
    },
  },
  {
    id: 'login-fail',
    says: 'A wrong password and an unknown user get the same `login_fail`; a malformed login is an `error` naming the field.',
    async run(stage) {
      const { name } = await stage.newAccount('anna');
      const wire = await stage.connectLogin();
      const wrong = await wire.refusal('login', { chatid: name, password: wrongPassword });
      expectLike('a wrong password', wrong, {
        action: 'login_fail',
        original_action: 'login',
        status: 'error',
        message: someText,
        code: 'invalid_credentials',
      });
      const unknown = await wire.refusal('login', {
        chatid: stage.newName('nobody'),
        password: wrongPassword,
      });
      expectSame('an unknown user', unknown, wrong);
      const malformed = await wire.refusal('login', { chatid: name });
      expectLike('a login without proof', malformed, { action: 'error', original_action: 'login' });
      const typed = await wire.refusal('login', { chatid: 5, password: wrongPassword });
      expectLike('a number for a name', typed, {
        action: 'error',
        code: 'invalid_field',
        data: { field: 'chatid' },
      });
    },
  },
  {
    id: 'not-authenticated',
    says: 'Before the login everything else is `not_authenticated`.',
    async run(stage) {
      const wire = await stage.connectLogin();
      for (const [action, data] of [
        ['get_rooms', {}],
        ['send_message', { room_id: 'x', content: 'x' }],
        ['create_room', { participants: [], room_name: 'x' }],
      ] as const) {
        expectLike(action, await wire.refusal(action, data), {
          action: 'error',
          original_action: action,
          code: 'not_authenticated',
        });
      }
    },
  },
  {
    id: 'one-at-a-time',
    says: 'A second login with the password is `already_logged_in`, or ends the first with 4001, or both live: as the policy says.',
    async run(stage) {
      const first = await stage.logIn('anna');
      const second = await stage.connectLogin('anna again');
      const { frame } = await second.request('login', { chatid: first.name, password: 'conformance-1' });
      if (frame['status'] === 'error') {
        expectLike('the second login', frame, { action: 'login_fail', code: 'already_logged_in' });
      } else if (first.closeCode !== undefined) {
        expectSame('the close code of the first', first.closeCode, 4001);
      }
      if (first.closeCode === undefined) await first.ask('get_rooms');
    },
  },
  {
    id: 'resume',
    says: 'With its session key a user takes over from the old connection at once, which closes with 4001.',
    async run(stage) {
      const old = await stage.logIn('anna');
      const roomId = await stage.room(old);
      const resumed = await stage.logInAgain(old);
      expectSame('the close code of the old connection', await old.closed(), 4001);
      expectLike('what the new one may do', await resumed.say(roomId, 'still me'), { message_id: 1 });
    },
  },
  {
    id: 'bad-session-key',
    says: 'A session key that is none is `invalid_credentials`.',
    async run(stage) {
      const { name } = await stage.newAccount('anna');
      const wire = await stage.connectLogin();
      const refused = await wire.refusal('login', { chatid: name, session_key: 'x'.repeat(43) });
      expectLike('the answer', refused, { original_action: 'login', code: 'invalid_credentials' });
    },
  },
  {
    id: 'logout',
    says: '`logout` ends the session; the connection may log in again.',
    async run(stage) {
      const wire = await stage.logIn('anna');
      const { name, sessionKey } = wire;
      expectLike('the reply', (await wire.request('logout')).frame, { action: 'logout_success' });
      expectLike('afterwards', await wire.refusal('get_rooms'), { code: 'not_authenticated' });
      const over = await wire.refusal('login', { chatid: name, session_key: sessionKey });
      expectLike('the old key', over, { code: 'invalid_credentials' });
      await wire.logIn(name, { password: 'conformance-1' });
    },
  },
  {
    id: 'session-ended',
    says: 'Other connections of a session that is logged out close with 4003.',
    section: 'Transport',
    async run(stage) {
      const wire = await stage.logIn('anna');
      const room = await stage.publicRoom({ name: wire.name, token: wire.sessionKey });
      const other = await stage.connectJoin('anna elsewhere', { token: wire.sessionKey });
      await other.ask('join', { username: wire.name, roomId: room.id });
      await wire.ask('logout');
      expectSame('the close code', await other.closed(), 4003);
    },
  },
  {
    id: 'speaker',
    says: 'Who names another as the speaker is `forbidden`; oneself may be named, unknown fields are ignored.',
    async run(stage) {
      const wire = await stage.logIn('anna');
      for (const speaker of [{ chatid: 'somebody' }, { chat_id: 'somebody' }]) {
        expectLike('another speaker', await wire.refusal('get_rooms', speaker), { code: 'forbidden' });
      }
      await wire.ask('get_rooms', { chatid: wire.name, colour: 'blue' });
    },
  },
  {
    id: 'error-form',
    says: 'An error names the action, has a code and a text, and says which field is wrong.',
    async run(stage) {
      const wire = await stage.logIn('anna');
      const missing = await wire.refusal('delete_room', {});
      expectLike('a missing field', missing, {
        action: 'error',
        original_action: 'delete_room',
        status: 'error',
        message: someText,
        code: 'missing_field',
        data: { field: 'room_id' },
      });
      const typed = await wire.refusal('delete_room', { room_id: 5 });
      expectLike('a wrong type', typed, { code: 'invalid_field', data: { field: 'room_id' } });
      expectThat('the text does not name the field', text(typed, 'message').includes('room_id'));
      const nowhere = await wire.refusal('delete_room', { room_id: 'nowhere' });
      expectLike('an unknown room', nowhere, { code: 'room_not_found' });
    },
  },
  {
    id: 'guest',
    says: 'A guest has a name for as long as it stays, and is the same guest again with its key.',
    section: 'Guests *(ext)*',
    async run(stage) {
      const guest = await stage.logInAsGuest('robin');
      const rival = await stage.connectLogin('rival');
      const taken = await rival.refusal('login_as_guest', { chatid: guest.name });
      expectLike('the name meanwhile', taken, { code: 'username_taken' });
      await guest.close();
      const back = await stage.connectLogin('robin');
      const again = await back.ask('login_as_guest', { chatid: guest.name, session_key: guest.sessionKey });
      expectLike('with its key', again, { chatid: guest.name, session_key: guest.sessionKey });
    },
  },
  {
    id: 'guest-last-id',
    says: 'A guest that joins with `last_id` gets what followed that message, after `room_joined`, then what is new.',
    section: 'Guests *(ext)*',
    async run(stage) {
      const guest = await stage.logInAsGuest('robin');
      const owner = await stage.logIn('owner');
      const made = { participants: [], room_name: stage.newName('room'), visibility: 'public' };
      const room_id = text(await owner.ask('create_room', made), 'room_id');
      for (const content of ['1', '2', '3', '4']) await owner.say(room_id, content);
      await guest.ask('join_room', { room_id, last_id: 2 });
      await owner.say(room_id, '5');
      await guest.hears(room_id, '5');
      expectSame(
        'the ids that came',
        guest.heard(room_id).map(({ id }) => id),
        [3, 4, 5],
      );
      const joined = guest.received.findIndex(({ action }) => action === 'room_joined');
      const first = guest.received.findIndex(({ action }) => action === 'receive_message');
      expectThat('a message came before `room_joined`', joined < first);
      expectLike('the last one', dataOf(guest.received.at(-1)!.frame), { file: noValue });
    },
  },
]);
