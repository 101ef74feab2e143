import { expect, test } from '@jest/globals';
import { chatHelp, commandNames, readChatLine } from './chat-command.ts';

test.each([
  ['hello /there', { type: 'say', text: 'hello /there' }],
  ['  kept as it is ', { type: 'say', text: '  kept as it is ' }],
  ['//shrug', { type: 'say', text: '/shrug' }],
  ['/join the kitchen', { type: 'go', room: 'the kitchen' }],
  ['/create Tea time', { type: 'create', name: 'Tea time', visibility: 'private' }],
  ['/create public Tea time', { type: 'create', name: 'Tea time', visibility: 'public' }],
  ['/create public', { type: 'create', name: 'public', visibility: 'private' }],
  ['/upload  my photo.png ', { type: 'upload', argument: 'my photo.png' }],
  ['/history', { type: 'history', messages: 20 }],
  ['/history 1000', { type: 'history', messages: 100 }],
  ['/quit', { type: 'quit' }],
])('%j', (line, command) => {
  expect(readChatLine(line)).toEqual(command);
});

test.each(['', '   ', '\t'])('%j is nothing', (line) => {
  expect(readChatLine(line)).toBeUndefined();
});

test.each([
  ['/join', 'Usage: /join ROOM'],
  ['/history many', 'Usage: /history [N]'],
  ['/history 0', 'Usage: /history [N]'],
  ['/dance', 'There is no command /dance; /help lists them.'],
  ['/toString', 'There is no command /toString; /help lists them.'],
])('%j is answered with %j', (line, message) => {
  expect(() => readChatLine(line)).toThrow(message);
});

test('the help has every command and fits 80 columns', () => {
  const help = chatHelp();
  for (const name of commandNames) expect(help).toContain(name);
  for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
