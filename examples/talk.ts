/**
 * Two users play the conversation of the login dialect over real sockets and print every frame.
 * `npm run example`, against a running server; `npm run example -- --url ws://localhost:20201` for another one;
 * `npm run example -- --handshake` plays it with the integrity handshake, both ways; `npm run example -- --file PATH` has one
 * user send a file and the other download it.
 */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { letterFrequencies, sameFrequencies } from '@parley/protocol';
import type { LetterFrequencies } from '@parley/protocol';
import { WebSocket } from 'ws';
import { sendFile } from './send-file.ts';

interface Frame {
  action: string;
  code?: string;
  data: Record<string, unknown> & { transaction_id?: string; confirm?: boolean };
}

/** One user's connection. Frames are awaited in the order they come; those of the handshake are answered aside. */
class Talker {
  readonly #name: string;
  readonly #socket: WebSocket;
  /** The text of each request that the server has not counted yet. */
  readonly #uncounted: string[] = [];
  readonly #inbox: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  isUnderHandshake = false;

  constructor(name: string, url: string) {
    this.#name = name;
    this.#socket = new WebSocket(url);
    this.#socket.on('message', (data: Buffer) => {
      console.log(`${this.#name} <- ${data.toString()}`);
      const frame: Frame = { data: {}, ...(JSON.parse(data.toString()) as Pick<Frame, 'action'>) };
      if (this.#answerHandshake(frame, data.toString())) return;
      const waiting = this.#waiting.shift();
      if (waiting) waiting(frame);
      else this.#inbox.push(frame);
    });
  }

  /** Plays the client's part in the integrity handshake; true where the frame is only that. */
  #answerHandshake({ action, data }: Frame, text: string): boolean {
    const { transaction_id } = data;
    if (action === 'character_count') {
      // The server's count of a request: is it what was sent?
      const counted = data['letter_frequencies'] as LetterFrequencies;
      const confirm = sameFrequencies(counted, letterFrequencies(this.#uncounted.shift() ?? ''));
      this.#send('confirm_count', { transaction_id, confirm });
    } else if (action === 'receive_message' && this.isUnderHandshake) {
      this.#send('character_count', { transaction_id, letter_frequencies: letterFrequencies(text) });
      return false;
    } else if (action === 'confirm_count') {
      if (data.confirm) this.#send('ack', { transaction_id });
    } else {
      // The `ack` that closes an exchange; one that confirms a message is its reply too.
      return this.isUnderHandshake && action === 'ack' && !('message_id' in data);
    }
    return true;
  }

  #send(action: string, data: Record<string, unknown>): string {
    const frame = JSON.stringify({ action, data });
    console.log(`${this.#name} -> ${frame}`);
    this.#socket.send(frame);
    return frame;
  }

  async open(): Promise<void> {
    await once(this.#socket, 'open');
  }

  next(): Promise<Frame> {
    const frame = this.#inbox.shift();
    return frame ? Promise.resolve(frame) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a request and resolves with what comes next. */
  ask(action: string, data: Record<string, unknown>): Promise<Frame> {
    this.#uncounted.push(this.#send(action, data));
    return this.next();
  }

  /** @param data Its password, and what it asks for. */
  async logIn(data: Record<string, unknown>): Promise<void> {
    this.#uncounted.length = 0;
    this.isUnderHandshake = data['handshake'] === true;
    expectAction(await this.ask('login', { chatid: this.#name, ...data }), 'login_success');
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

/** Fails where a frame is not what the conversation needs to go on. */
function expectAction({ action, code = '' }: Frame, expected: string): void {
  if (action !== expected) throw new Error(`expected ${expected}, got ${action} ${code}`);
}

async function talk(url: string, handshake: boolean): Promise<void> {
  const password = 'password123';
  const login = handshake ? { password, handshake } : { password };
  const alice = new Talker('user123', url);
  const bob = new Talker('user456', url);
  await Promise.all([alice.open(), bob.open()]);

  // Played again on the same server, the names are taken, by the same users.
  for (const chatid of ['user123', 'user456', 'user789']) await alice.ask('register', { chatid, password });
  await alice.logIn(login);
  await bob.logIn(login);

  const created = await alice.ask('create_room', {
    chatid: 'user123',
    participants: ['user456', 'user789'],
    room_name: 'My Room',
  });
  expectAction(created, 'room_created');
  const { room_id } = created.data;
  expectAction(await bob.next(), 'user_added');

  expectAction(
    await alice.ask('send_message', { chatid: 'user123', room_id, content: 'Hello everyone!' }),
    'ack',
  );
  expectAction(await bob.next(), 'receive_message');
  expectAction(await bob.ask('send_message', { chatid: 'user456', room_id, content: 'Hello!' }), 'ack');
  expectAction(await alice.next(), 'receive_message');

  expectAction(await alice.ask('get_rooms', { chatid: 'user123' }), 'rooms_list');
  const history = { chatid: 'user123', room_id, from_time: '2024-01-01T00:00:00Z' };
  expectAction(await alice.ask('get_messages', history), 'messages_list');

  // Only the owner may do what follows.
  expectAction(await bob.ask('rename_room', { chatid: 'user456', room_id, new_room_name: 'Mine' }), 'error');
  const renaming = { chatid: 'user123', room_id, new_room_name: 'New Room Name' };
  expectAction(await alice.ask('rename_room', renaming), 'room_renamed');
  expectAction(await bob.next(), 'room_renamed');
  const removal = { chatid: 'user123', room_id, user_to_remove: 'user789' };
  expectAction(await alice.ask('remove_user_from_room', removal), 'user_removed');
  expectAction(await bob.next(), 'user_removed');
  const addition = { chatid: 'user123', room_id, user_to_add: 'user789' };
  expectAction(await alice.ask('add_user_to_room', addition), 'user_added');
  expectAction(await bob.next(), 'user_added');
  expectAction(await alice.ask('delete_room', { chatid: 'user123', room_id }), 'room_deleted');
  expectAction(await bob.next(), 'room_deleted');

  expectAction(await alice.ask('logout', { chatid: 'user123' }), 'logout_success');
  await Promise.all([alice.close(), bob.close()]);
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'ws://localhost:20200' },
    handshake: { type: 'boolean', default: false },
    file: { type: 'string' },
  },
});
try {
  if (values.file === undefined) await talk(values.url, values.handshake);
  else if (!(await sendFile(values.url, resolve(process.env['INIT_CWD'] ?? '.', values.file))))
    throw new Error('the hashes differ');
} catch (error) {
  console.error(`The conversation broke off: ${(error as Error).message}. Is Parley running? (npm start)`);
  process.exitCode = 1;
}
