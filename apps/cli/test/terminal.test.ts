import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { run } from './run-parley.ts';

const opened = new AsyncDisposableStack();
let parley: Parley;
let folder: string;
let berta: LoginClient;
let url: string;

beforeAll(async () => {
  parley = opened.use(await startParley());
  url = parley.stack.gateways[0]!.webSocketUrl;
  folder = await mkdtemp(join(tmpdir(), 'parley-terminal-'));
  opened.defer(() => rm(folder, { recursive: true }));
  berta = await parley.logIn('berta');
});
afterAll(() => opened.disposeAsync());

const controlC = '\u0003';
const controlD = '\u0004';

async function createRoom(name: string, ...members: string[]): Promise<string> {
  for (const member of members) await parley.getToken(member);
  return (await berta.ask('create_room', { participants: members, room_name: name })).room_id as string;
}

/** Opens a chat at a terminal, and waits until its line can be typed. */
async function openChat(
  user: string,
  room: string,
  environment: Record<string, string> = {},
): Promise<PseudoTerminal> {
  const given = { PARLEY_URL: url, PARLEY_USER: user, PARLEY_PASSWORD: password, ...environment };
  const terminal = new PseudoTerminal(['chat', room], { environment: given, cwd: folder });
  await terminal.sees(new RegExp(`^${room}>`, 'm'));
  return terminal;
}

test('a password is asked for, and never shown', async () => {
  await using terminal = new PseudoTerminal(['chat', 'default', '--register', '--url', url]);
  await terminal.sees('User name:');
  terminal.type('anna\r');
  await terminal.sees('Password:');
  terminal.type(`${password}\r`);
  await terminal.sees('Password again:');
  terminal.type(`${password}\r`);
  await terminal.sees(/^default>/m);
  expect(terminal.raw).not.toContain(password);
  terminal.type(controlD);
  expect(await terminal.exitCode()).toBe(0);
  // The account is there, and the session is not any more.
  await parley.logIn('anna');
});

test('passwords that differ make no account; Ctrl-C at the question leaves', async () => {
  await using mistyped = new PseudoTerminal(['rooms', '--user', 'bea', '--register', '--url', url]);
  await mistyped.sees('Password:');
  mistyped.type('one-password\r');
  await mistyped.sees('Password again:');
  mistyped.type('another-one\r');
  await mistyped.sees('The passwords differ.');
  expect(await mistyped.exitCode()).toBe(1);
  await using left = new PseudoTerminal(['rooms', '--user', 'bea', '--url', url]);
  await left.sees('Password:');
  left.type(controlC);
  expect(await left.exitCode()).toBe(1);
  expect(left.text).toContain('Cancelled.');
});

test('two people talk; each message stands once, with its time, sender and colour', async () => {
  const id = await createRoom('Tea', 'carl', 'dora');
  await berta.ask('send_message', { room_id: id, content: 'tea is ready' });
  await using carl = await openChat('carl', 'Tea');
  await using dora = await openChat('dora', 'Tea', { NO_COLOR: '1' });
  await carl.sees(/^\d\d:\d\d berta: tea is ready$/m);
  carl.type('hello dora\r');
  await dora.sees(/^\d\d:\d\d carl: hello dora$/m);
  dora.type('hello carl\r');
  await carl.sees(/^\d\d:\d\d dora: hello carl$/m);
  await dora.sees(/^\d\d:\d\d dora: hello carl$/m);
  for (const { lines } of [carl, dora]) {
    expect(lines.filter((line) => line.includes('hello'))).toEqual([
      expect.stringMatching(/^\d\d:\d\d carl: hello dora$/),
      expect.stringMatching(/^\d\d:\d\d dora: hello carl$/),
    ]);
  }
  for (const chat of [carl, dora]) await until('an empty line', () => chat.below('hello carl') === 'Tea>');
  expect(carl.hasColoured('dora: hello carl')).toBe(true);
  expect(dora.hasColoured('dora: hello carl')).toBe(false);
  carl.type(controlC);
  expect(await carl.exitCode()).toBe(0);
  dora.type('/quit\r');
  expect(await dora.exitCode()).toBe(0);
});

test('what comes leaves alone what is being typed, however long that is', async () => {
  const id = await createRoom('Long', 'emil');
  await using emil = await openChat('emil', 'Long');
  const typed = `${'lorem ipsum '.repeat(12)}end`;
  emil.type(typed);
  await emil.sees('end');
  await berta.ask('send_message', { room_id: id, content: 'am I interrupting?' });
  await emil.sees(/berta: am I interrupting\?$/m);
  await until('what is typed to be there again', () => emil.below('am I inter') === `Long> ${typed}`);
  // Back to the beginning of the line: what is typed there goes there.
  emil.type('\u0001well, ');
  await emil.sees('Long> well, lorem');
  await berta.ask('send_message', { room_id: id, content: 'am I?' });
  await emil.sees(/berta: am I\?$/m);
  emil.type('\r');
  await emil.sees('emil: well, lorem');
  const sent = await berta.next(
    'the message',
    ({ action, data }) => action === 'receive_message' && data.room_id === id,
  );
  expect(sent.data.content).toBe(`well, ${typed}`);
  await until('an empty line', () => emil.below('end') === 'Long>');
  expect(emil.text.match(/well, lorem/g)).toHaveLength(1);
});

test('nothing that others write takes over the terminal', async () => {
  const id = await createRoom('Rude', 'fred');
  await using fred = await openChat('fred', 'Rude');
  await berta.ask('send_message', { room_id: id, content: '\u001b[2J\u001b]0;owned\u0007\u009b31mboo' });
  await fred.sees(/berta: \[2J\]0;owned31mboo$/m);
  for (const rude of ['\u001b[2J', '\u001b]', '\u009b', '\u0007']) expect(fred.raw).not.toContain(rude);
});

test('rooms are made, switched and left; what is unread elsewhere is marked', async () => {
  const id = await createRoom('Kitchen', 'gina', 'hans');
  await using gina = await openChat('gina', 'Kitchen');
  gina.type('/create public Garden\r');
  await gina.sees(/^── Garden ── public, owned by gina/m);
  for (const content of ['one', 'two']) await berta.ask('send_message', { room_id: id, content });
  await gina.sees(/^\(Kitchen 2\) Garden>$/m);
  expect(gina.text).not.toContain('berta: two');
  gina.type('/join Kitchen\r');
  await gina.sees(/berta: two$/m);
  await gina.sees(/^Kitchen>$/m);
  gina.type('/members\r');
  await gina.sees('    * 3 members:');
  gina.type('/rooms\r');
  await gina.sees(/> Kitchen$/m);
  gina.type('/leave\r');
  await gina.sees('You left Kitchen.');
  await gina.sees(/^no room>$/m);
  gina.type('hello?\r');
  await gina.sees('You are in no room: /rooms lists them');
  gina.type('/join Garden\r');
  await gina.sees(/^Garden>$/m);
  gina.type('/delete\r');
  await gina.sees('Garden was deleted.');
});

test('a file goes up and comes down, with a bar', async () => {
  const id = await createRoom('Files', 'ida');
  const bytes = randomBytes(3 * 1_048_576);
  await writeFile(join(folder, 'photo.bin'), bytes);
  await using ida = await openChat('ida', 'Files');
  ida.type('/upload photo.bin\r');
  await ida.sees(/ida sent a file: photo\.bin \(3 MiB/);
  expect(ida.raw).toMatch(/photo\.bin +█*░+ +\d+% {2}[\d.]+ [KM]?i?B of 3 MiB/u);
  const { files } = await berta.ask('file_list_req', { room_id: id });
  expect(files).toMatchObject([{ sha256: createHash('sha256').update(bytes).digest('hex') }]);
  ida.type('/download photo.bin\r');
  await ida.sees(/photo\.bin is here as/);
  expect((await readFile(join(folder, 'photo (1).bin'))).equals(bytes)).toBe(true);
  // The bars are gone when they are done.
  await until('the bar to go', () => !ida.text.includes('█'));
});

test('the commands outside of the chat have bars, too', async () => {
  await createRoom('Bars', 'jan');
  await writeFile(join(folder, 'tea.bin'), randomBytes(200_000));
  const environment = { PARLEY_URL: url, PARLEY_USER: 'jan', PARLEY_PASSWORD: password };
  await using upload = new PseudoTerminal(['upload', 'Bars', 'tea.bin'], { environment, cwd: folder });
  expect(await upload.exitCode()).toBe(0);
  expect(upload.text).toMatch(/^tea\.bin +█{24} 100% {2}195 KiB of 195 KiB\ntea\.bin \(195 KiB\)$/u);
});

test('a chat whose session an operator ends says so, and ends with 1', async () => {
  await createRoom('Ended', 'lena');
  await using lena = await openChat('lena', 'Ended');
  const environment = { NATS_URL: parley.stack.servers.addresses.natsUrl };
  expect(await run(['admin', 'users', 'end-sessions', 'lena'], { environment })).toMatchObject({ code: 0 });
  expect(await lena.exitCode()).toBe(1);
  expect(lena.text).toContain('Your session ended; log in again.');
});

test('a lost connection is told, and what is said meanwhile is sent when it is back', async () => {
  const id = await createRoom('Patience', 'karl');
  await using karl = await openChat('karl', 'Patience');
  const gateway = parley.stack.gateways[0]!;
  await gateway.stop();
  await karl.sees('The connection is lost');
  karl.type('are you there?\r');
  await karl.sees('1 message being sent');
  await gateway.start();
  await gateway.ready();
  await karl.sees('Connected again.');
  await karl.sees(/karl: are you there\?$/m);
  const anew = await parley.logIn('berta');
  const { messages } = await anew.ask('get_messages', { room_id: id });
  expect(messages).toMatchObject([{ content: 'are you there?', sender_chatid: 'karl' }]);
});
