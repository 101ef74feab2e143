import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';
import { Command, run } from './run-parley.ts';
import type { Outcome, RunOptions } from './run-parley.ts';
import { ShellCompletion } from './shell-completion.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let folder: string;
/** Whom the commands talk with. */
let berta: LoginClient;

beforeAll(async () => {
  parley = opened.use(await startParley());
  folder = await mkdtemp(join(tmpdir(), 'parley-cli-'));
  opened.defer(() => rm(folder, { recursive: true }));
  berta = await parley.logIn('berta');
});
afterAll(() => opened.disposeAsync());

function asUser(user: string): RunOptions {
  return {
    environment: {
      PARLEY_URL: parley.stack.gateways[0]!.webSocketUrl,
      PARLEY_USER: user,
      PARLEY_PASSWORD: password,
    },
    cwd: folder,
  };
}

const asGuest = (): RunOptions => ({
  environment: { PARLEY_URL: parley.stack.gateways[0]!.webSocketUrl },
  cwd: folder,
});

/** A private room of berta's, with these accounts, which are made. */
async function createRoom(name: string, ...members: string[]): Promise<string> {
  for (const member of members) await parley.getToken(member);
  return (await berta.ask('create_room', { participants: members, room_name: name })).room_id as string;
}

async function contents(roomId: string): Promise<string[]> {
  const { messages } = await berta.ask('get_messages', { room_id: roomId });
  return messages.map(({ content }: { content: string }) => content) as string[];
}

function errorOf({ stderr }: Outcome): { code: string; message: string } {
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error;
}

test('what isn’t understood is told in one line, with 2', async () => {
  const outcomes = await Promise.all([
    run([]),
    run(['dance']),
    run(['send', 'tea', 'two', 'words']),
    run(['rooms', '--bogus']),
    run(['rooms', '--guest', 'anna', '--user', 'anna']),
    run(['rooms', '--guest', 'anna', '--url', 'tea']),
    run(['tail', 'tea', '--last', 'few']),
  ]);
  for (const { code, stdout, stderr } of outcomes) {
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^.+\n`parley --help` and `parley COMMAND --help` tell more\.\n$/);
  }
});

test('where nobody can be asked for a password, that is wrong usage, and says what is right', async () => {
  const { code, stderr } = await run(['rooms', '--user', 'anna']);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^There is no terminal to ask for the password: give it by --password-stdin or PARLEY_PASSWORD\.\n/,
  );
});

test('where nobody answers, that is told in one line, with 3', async () => {
  const outcome = await run(['rooms', '--guest', 'anna', '--url', 'ws://127.0.0.1:9']);
  expect(outcome).toEqual({
    code: 3,
    stdout: '',
    stderr: "Parley can't be reached at ws://127.0.0.1:9; is it running there?\n",
  });
});

test('help has examples and exit codes, for the whole and for each command', async () => {
  const { code, stdout } = await run(['--help']);
  expect(code).toBe(0);
  expect(stdout).toContain('Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 nobody answers.');
  const commands = ['chat', 'send', 'tail', 'rooms', 'upload', 'download'];
  const pages = await Promise.all(commands.map((command) => run([command, '--help'])));
  for (const [index, command] of commands.entries()) {
    expect(stdout).toContain(`parley ${command}`);
    expect(pages[index]!.stdout).toMatch(new RegExp(`Examples:\n.*parley ${command} `));
  }
});

test('what the server refuses is told in its words, with 1; as JSON, where that is wanted', async () => {
  await parley.getToken('carl');
  const wrong = {
    ...asUser('carl'),
    environment: { ...asUser('carl').environment!, PARLEY_PASSWORD: 'wrong-password' },
  };
  const plain = await run(['rooms'], wrong);
  expect(plain).toMatchObject({ code: 1, stdout: '' });
  expect(plain.stderr).toMatch(/^Invalid credentials.*\n$/);
  const json = await run(['rooms', '--json'], wrong);
  expect(json).toMatchObject({ code: 1, stdout: '' });
  expect(errorOf(json).code).toBe('invalid_credentials');
});

test('an account is made and used at once; its password comes from stdin, as the first line', async () => {
  const url = parley.stack.gateways[0]!.webSocketUrl;
  const args = ['rooms', '--user', 'dora', '--register', '--password-stdin', '--json', '--url', url];
  const { code, stderr, stdout } = await run(args, { input: `${password}\nnever read\n` });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rooms = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(rooms).toContainEqual(
    expect.objectContaining({ name: 'default', visibility: 'public', isMember: false }),
  );
  // The user is free again at once: the command has logged out.
  await parley.logIn('dora');
});

test('a message is sent to a room by its name or its id, and is stored when the command ends', async () => {
  const id = await createRoom('Tea time', 'emil');
  expect(await run(['send', 'Tea time', 'water boils'], asUser('emil'))).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const { stdout } = await run(['send', id, '--json', '--', '--dashes'], asUser('emil'));
  expect(JSON.parse(stdout)).toEqual({ id: 2, roomId: id, sentAt: expect.any(String) });
  expect(await contents(id)).toEqual(['water boils', '--dashes']);
});

test('stdin is a message, or each of its lines is one; behind the password where that comes first', async () => {
  const id = await createRoom('stdin', 'fred');
  expect((await run(['send', id, '-'], { ...asUser('fred'), input: 'one\n  two\n' })).code).toBe(0);
  expect((await run(['send', id, '-', '--lines'], { ...asUser('fred'), input: 'three\n\nfour' })).code).toBe(
    0,
  );
  const withoutPassword = { ...asUser('fred').environment, PARLEY_PASSWORD: '' };
  const input = `${password}\nfive\n`;
  expect(
    (await run(['send', id, '-', '--password-stdin'], { environment: withoutPassword, input })).code,
  ).toBe(0);
  expect(await contents(id)).toEqual(['one\n  two', 'three', 'four', 'five']);
});

test('an unknown room, and one that the user is no member of, are refused; --join makes a member', async () => {
  const id = await parley.createPublicRoom('Garden', 'gina');
  const unknown = await run(['send', 'Jungle', 'hi', '--json'], asUser('gina'));
  expect(unknown.code).toBe(1);
  expect(errorOf(unknown).code).toBe('room_not_found');
  await parley.getToken('hans');
  const outside = await run(['send', 'Garden', 'hi'], asUser('hans'));
  expect(outside).toMatchObject({
    code: 1,
    stderr: 'You are not a member of Garden; with --join you become one.\n',
  });
  expect((await run(['send', id, 'hi', '--join'], asUser('hans'))).code).toBe(0);
  expect((await run(['send', 'Garden', 'again'], asUser('hans'))).code).toBe(0);
});

test('a guest needs no account, and enters public rooms', async () => {
  expect(await run(['send', 'default', 'hello', '--guest', 'gustav'], asGuest())).toMatchObject({
    code: 0,
    stderr: '',
  });
  const { code, stdout } = await run(['tail', 'default', '--no-follow', '--guest', 'gerda'], asGuest());
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z gustav: hello$/m);
});

test('tail begins with the newest messages and goes on with what comes, until it is interrupted', async () => {
  const id = await createRoom('tail', 'ida');
  for (let n = 1; n <= 12; n += 1) await berta.ask('send_message', { room_id: id, content: `message ${n}` });
  using tail = new Command(['tail', 'tail', '-n', '2', '--json'], asUser('ida'));
  await until('two messages', () => tail.values.length === 2);
  await berta.ask('send_message', { room_id: id, content: '\u001b[31mred\u009b2J' });
  await until('the third', () => tail.values.length === 3);
  tail.interrupt();
  expect(await tail.outcome()).toMatchObject({ code: 0, stderr: '' });
  expect(tail.values.map(({ id, content }) => [id, content])).toEqual([
    [11, 'message 11'],
    [12, 'message 12'],
    [13, '\u001b[31mred\u009b2J'],
  ]);
  expect(tail.values[0]).toEqual({
    id: 11,
    roomId: id,
    sender: 'berta',
    sentAt: expect.any(String),
    content: 'message 11',
  });
  // Neither form has raw control characters.
  expect(tail.stdout).not.toMatch(/[\p{Cc}--\n]/v);
  const plain = await run(['tail', 'tail', '--after', '12', '--no-follow'], asUser('ida'));
  expect(plain.stdout).toMatch(/ berta: \[31mred2J\n$/);
});

test('a pipe that is closed early ends the command quietly', async () => {
  const id = await createRoom('head', 'ilse');
  await berta.ask('send_message', { room_id: id, content: 'x'.repeat(8_000) });
  using tail = new Command(['tail', id], asUser('ilse'));
  await until('a message', () => tail.stdout.length > 8_000);
  tail.closeOutput();
  await berta.ask('send_message', { room_id: id, content: 'more' });
  expect(await tail.outcome()).toMatchObject({ code: 0, stderr: '' });
});

test('files go up and come down as they were, and replace nothing unasked', async () => {
  await createRoom('Files', 'jan');
  const bytes = randomBytes(3 * 1_048_576);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(folder, 'photo.bin'), bytes);
  await writeFile(join(folder, 'empty.txt'), '');

  const up = await run(['upload', 'Files', 'photo.bin', 'empty.txt', '--json'], asUser('jan'));
  expect(up).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(up.stdout.split('\n')[0]!)).toMatchObject({
    name: 'photo.bin',
    size: bytes.length,
    sha256,
  });

  const occupied = await run(['download', 'Files', 'photo.bin'], asUser('jan'));
  expect(occupied.code).toBe(1);
  expect(occupied.stderr).toMatch(/photo\.bin is there already; --force replaces it/);

  const down = await run(['download', 'Files', 'photo.bin', '-o', 'copy.bin'], asUser('jan'));
  expect(down).toEqual({ code: 0, stdout: `${join(folder, 'copy.bin')} (3 MiB)\n`, stderr: '' });
  expect((await readFile(join(folder, 'copy.bin'))).equals(bytes)).toBe(true);

  expect((await run(['download', 'Files', 'empty.txt', '--force'], asUser('jan'))).code).toBe(0);
  using piped = new Command(['download', 'Files', 'photo.bin', '-o', '-'], asUser('jan'));
  expect((await piped.outcome()).code).toBe(0);
  expect(piped.stdoutBytes.equals(bytes)).toBe(true);

  const missing = await run(['download', 'Files', 'tea.png'], asUser('jan'));
  expect(missing).toMatchObject({
    code: 1,
    stderr: 'There is no file tea.png in this room, but empty.txt, photo.bin.\n',
  });
  expect((await run(['upload', 'Files', 'nowhere.png'], asUser('jan'))).stderr).toMatch(
    /^nowhere\.png can't be read: ENOENT/,
  );
  expect((await run(['upload', 'Files', '.'], asUser('jan'))).stderr).toBe('. is not a file.\n');
});

test('chat without a terminal says the lines of stdin, prints what comes, and leaves at the end of stdin', async () => {
  const id = await createRoom('Lines', 'karl');
  using chat = new Command(['chat', 'Lines'], asUser('karl'));
  await until('the room', () => chat.stdout.includes(`* Lines (${id}): private, owned by berta`));
  await berta.ask('send_message', { room_id: id, content: 'who is there?\n* Lines: fake' });
  await until('the question', () => chat.stdout.includes('berta: who is there?\n\t* Lines: fake\n'));
  chat.write('me\n/members\n/dance\n');
  await until('the answers', () => chat.stdout.includes('! There is no command /dance; /help lists them.'));
  expect(chat.stdout).toContain('* 2 members:\n');
  expect(await chat.endInput('bye').outcome()).toMatchObject({ code: 0, stderr: '' });
  expect(await contents(id)).toEqual(['who is there?\n* Lines: fake', 'me', 'bye']);
});

test('chat as JSON tells of all rooms', async () => {
  const first = await createRoom('First', 'lisa');
  const second = await createRoom('Second', 'lisa');
  using chat = new Command(['chat', first, '--json'], asUser('lisa'));
  await until('the room', () => chat.values.some(({ type }) => type === 'room'));
  for (const room_id of [first, second]) await berta.ask('send_message', { room_id, content: 'hi' });
  const told = () => chat.values.filter(({ type }) => type === 'message');
  await until('both messages', () => told().length === 2);
  // Rooms don't wait for each other.
  expect(new Set(told().map(({ roomId, content }) => `${roomId as string} ${content as string}`))).toEqual(
    new Set([`${first} hi`, `${second} hi`]),
  );
  expect(await chat.endInput('/join Jungle\n').outcome()).toMatchObject({ code: 0 });
  expect(chat.values.at(-1)).toEqual({ type: 'error', code: 'room_not_found', text: expect.any(String) });
});

test('a shell completes commands and options with the script', async () => {
  const { code, stdout: script } = await run(['completion'], { environment: { SHELL: '/bin/bash' } });
  expect(code).toBe(0);
  const shell = new ShellCompletion(script, folder);
  await shell.install();
  expect(await shell.complete('parley', 'u')).toContain('upload');
  expect(await shell.complete('parley', 'tail', 'tea', '--las')).toContain('--last');
  expect(await shell.complete('parley', 'admin', 'users', 'set')).toContain('set-password');
});
