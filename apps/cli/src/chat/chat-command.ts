import { UsageError } from '../cli-error.ts';

/** What a line that was typed asks for. */
export type ChatCommand =
  | { type: 'say'; text: string }
  | { type: 'go'; room: string }
  | { type: 'create'; name: string; visibility: 'private' | 'public' }
  | { type: 'add' | 'remove' | 'rename' | 'nick' | 'upload' | 'download'; argument: string }
  | { type: 'history'; messages: number }
  | { type: 'help' | 'rooms' | 'leave' | 'delete' | 'members' | 'files' | 'cancel' | 'quit' };

/** Messages that `/history` asks for where it is not told. */
const historyMessages = 20;
const mostHistoryMessages = 100;

interface Entry {
  /** As it is shown in the help. */
  usage: string;
  does: string;
  read: (argument: string, usage: string) => ChatCommand;
}

const entries: Record<string, Entry> = {
  rooms: { usage: '/rooms', does: 'your rooms, and the public ones', read: plain('rooms') },
  join: {
    usage: '/join ROOM',
    does: 'enter a public room, or go to another one of yours',
    read: (argument, usage) => ({ type: 'go', room: required(argument, usage) }),
  },
  create: {
    usage: '/create [public] NAME',
    does: 'make a room: for those you add, or for everybody',
    read: readCreate,
  },
  leave: { usage: '/leave', does: 'leave this room', read: plain('leave') },
  members: { usage: '/members', does: 'who belongs to this room', read: plain('members') },
  add: { usage: '/add USER', does: 'let somebody in (owners)', read: withArgument('add') },
  remove: { usage: '/remove USER', does: 'put somebody out (owners)', read: withArgument('remove') },
  rename: {
    usage: '/rename NAME',
    does: 'give this room another name (owners)',
    read: withArgument('rename'),
  },
  delete: {
    usage: '/delete',
    does: 'delete this room with all that is in it (owners)',
    read: plain('delete'),
  },
  history: { usage: '/history [N]', does: 'earlier messages', read: readHistory },
  files: { usage: '/files', does: 'the files of this room', read: plain('files') },
  upload: { usage: '/upload PATH', does: 'send a file', read: withArgument('upload') },
  download: { usage: '/download NAME', does: 'get a file into this folder', read: withArgument('download') },
  cancel: { usage: '/cancel', does: 'stop what is being uploaded or downloaded', read: plain('cancel') },
  nick: { usage: '/nick NAME', does: 'take another name (guests)', read: withArgument('nick') },
  help: { usage: '/help', does: 'this list', read: plain('help') },
  quit: { usage: '/quit', does: 'leave the chat; so do Ctrl-C and Ctrl-D', read: plain('quit') },
};

/** For completion of what is typed. */
export const commandNames = Object.keys(entries).map((name) => `/${name}`);

/** What `/help` shows. */
export function chatHelp(): string {
  const width = Math.max(...Object.values(entries).map(({ usage }) => usage.length));
  const lines = Object.values(entries).map(({ usage, does }) => `  ${usage.padEnd(width)}  ${does}`);
  return [...lines, `  ${'//text'.padEnd(width)}  says "/text"; all else you type is said in this room`].join(
    '\n',
  );
}

/**
 * Undefined for an empty line.
 * @throws UsageError with the right form.
 */
export function readChatLine(line: string): ChatCommand | undefined {
  if (line.trim() === '') return undefined;
  if (!line.startsWith('/')) return { type: 'say', text: line };
  if (line.startsWith('//')) return { type: 'say', text: line.slice(1) };
  const [, name = '', argument = ''] = /^\/(\S*)\s*(.*)$/su.exec(line) ?? [];
  if (!Object.hasOwn(entries, name)) throw new UsageError(`There is no command /${name}; /help lists them.`);
  const { usage, read } = entries[name]!;
  return read(argument.trim(), usage);
}

type Plain = 'help' | 'rooms' | 'leave' | 'delete' | 'members' | 'files' | 'cancel' | 'quit';

function plain(type: Plain): Entry['read'] {
  return () => ({ type });
}

function withArgument(type: 'add' | 'remove' | 'rename' | 'nick' | 'upload' | 'download'): Entry['read'] {
  return (argument, usage) => ({ type, argument: required(argument, usage) });
}

function readCreate(argument: string, usage: string): ChatCommand {
  const [, word, rest] = /^(public|private)\s+(.+)$/su.exec(argument) ?? [];
  if (word === undefined || rest === undefined) {
    return { type: 'create', name: required(argument, usage), visibility: 'private' };
  }
  return { type: 'create', name: rest, visibility: word === 'public' ? 'public' : 'private' };
}

function readHistory(argument: string, usage: string): ChatCommand {
  const messages = argument === '' ? historyMessages : Number(argument);
  if (!Number.isInteger(messages) || messages < 1) throw new UsageError(`Usage: ${usage}`);
  return { type: 'history', messages: Math.min(messages, mostHistoryMessages) };
}

function required(argument: string, usage: string): string {
  if (argument === '') throw new UsageError(`Usage: ${usage}`);
  return argument;
}
