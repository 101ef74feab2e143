import { group } from '../check.ts';
import { expectLike, expectSame, expectThat, someText } from '../expect.ts';
import type { Stage } from '../stage.ts';
import type { Wire } from '../wires/wire.ts';

async function errorAfter(wire: Wire, frame: string): Promise<object> {
  wire.send(frame);
  return (await wire.next('the error')).frame;
}

/** The connection still answers. */
async function expectAlive(wire: Wire): Promise<void> {
  expectLike('the connection afterwards', await errorAfter(wire, '{"action":"get_rooms"}'), {
    action: 'error',
  });
}

async function expectError(stage: Stage, frame: string, code: string): Promise<void> {
  const wire = await stage.connect();
  expectLike('the answer', await errorAfter(wire, frame), {
    action: 'error',
    status: 'error',
    message: someText,
    code,
  });
  await expectAlive(wire);
}

export const transportChecks = group('transport', { section: 'Transport', dialects: [] }, [
  {
    id: 'paths',
    says: 'Upgrades are accepted on `/`, `/ws` and `/chat`.',
    async run(stage) {
      for (const path of ['/', '/ws', '/chat']) await stage.connect(path);
    },
  },
  {
    id: 'other-paths',
    says: 'An upgrade elsewhere is refused.',
    async run(stage) {
      expectSame('the HTTP status on /elsewhere', await stage.upgradeRefusal('/elsewhere'), 404);
    },
  },
  {
    id: 'invalid-json',
    says: 'What is no JSON object is `invalid_json`, and the connection stays open.',
    async run(stage) {
      for (const frame of ['hello', '[1]', 'null', '{"action":'])
        await expectError(stage, frame, 'invalid_json');
    },
  },
  {
    id: 'unknown-action',
    says: 'An action that there is not is `unknown_action`, a missing one `missing_field`; the connection stays open.',
    async run(stage) {
      await expectError(stage, '{"action":"fly"}', 'unknown_action');
      await expectError(stage, '{"action":"constructor"}', 'unknown_action');
      await expectError(stage, '{}', 'missing_field');
    },
  },
  {
    id: 'error-form',
    says: 'Errors before the dialect is known have the form of the join dialect on `/chat`, of the login dialect elsewhere.',
    async run(stage) {
      const onChat = await errorAfter(await stage.connect('/chat'), '{"action":"fly"}');
      expectLike('the error on /chat', onChat, {
        action: 'error',
        code: 'unknown_action',
        message: someText,
        originalAction: 'fly',
      });
      for (const path of ['/', '/ws']) {
        const elsewhere = await errorAfter(await stage.connect(path), '{"action":"fly"}');
        expectLike(`the error on ${path}`, elsewhere, {
          action: 'error',
          status: 'error',
          code: 'unknown_action',
          original_action: 'fly',
        });
      }
    },
  },
  {
    id: 'dialect-is-fixed',
    says: "The first known action fixes the dialect, also where it fails; another dialect's action is then `unknown_action`.",
    async run(stage) {
      const login = await stage.connect();
      expectLike('the first answer', await errorAfter(login, '{"action":"get_rooms","data":{}}'), {
        original_action: 'get_rooms',
        code: 'not_authenticated',
      });
      const others = ['{"action":"identify","payload":{"username":"x"}}', '{"action":"join","roomId":"x"}'];
      for (const other of others) {
        expectLike('the answer to another dialect', await errorAfter(login, other), {
          code: 'unknown_action',
        });
      }
      const identify = await stage.connect();
      expectLike('the first answer', await errorAfter(identify, '{"action":"sendMessage","payload":{}}'), {
        action: 'error',
        payload: { reason: someText, detail: someText },
      });
      expectLike('the answer to another dialect', await errorAfter(identify, '{"action":"get_rooms"}'), {
        payload: { reason: 'unknown_action' },
      });
      const join = await stage.connect();
      expectLike('the first answer', await errorAfter(join, '{"action":"send-message"}'), {
        action: 'error',
        originalAction: 'send-message',
      });
      expectLike('the answer to another dialect', await errorAfter(join, '{"action":"get_rooms"}'), {
        code: 'unknown_action',
        originalAction: 'get_rooms',
      });
    },
  },
  {
    id: 'binary',
    says: 'A binary frame closes with 1003.',
    async run(stage) {
      const wire = await stage.connect();
      wire.send(new TextEncoder().encode('{"action":"get_rooms"}'));
      expectSame('the close code', await wire.closed(), 1003);
    },
  },
  {
    id: 'largest-frame',
    says: 'A frame of the largest size is read; one byte more closes with 1009.',
    async run(stage) {
      const { maxFrameBytes } = stage.options;
      const largest = '{"action":"fly"}'.padEnd(maxFrameBytes);
      const wire = await stage.connect();
      expectLike('the answer to the largest frame', await errorAfter(wire, largest), {
        code: 'unknown_action',
      });
      await expectAlive(wire);
      wire.send(`${largest} `);
      expectSame('the close code', await wire.closed(), 1009);
    },
  },
  {
    id: 'pipelining',
    says: 'Requests need not wait for each other: each is answered.',
    async run(stage) {
      const wire = await stage.connect();
      const actions = Array.from({ length: 20 }, (_, index) => `fly${index}`);
      for (const action of actions) wire.send({ action });
      const answers = await wire.collect('answers', actions.length, ({ action }) => action === 'error');
      const asked = answers.map(({ frame }) => frame['original_action']);
      expectSame('what was answered', asked, actions);
      expectThat('more answers than requests', wire.received.length === actions.length);
    },
  },
]);
