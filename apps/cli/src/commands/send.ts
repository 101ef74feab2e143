import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { UsageError } from '../cli-error.ts';
import { clientOptions } from '../options.ts';
import type { ClientOptions } from '../options.ts';
import { Output } from '../output.ts';
import { enterRoom } from '../rooms.ts';
import { roomOptions } from './room-options.ts';
import { withSession } from '../with-session.ts';

const sendOptions = {
  ...clientOptions,
  ...roomOptions,
  lines: { type: 'boolean', default: false, describe: 'With `-`: each line is a message, sent as it comes' },
} as const;

type SendOptions = ClientOptions &
  InferredOptionTypes<typeof sendOptions> & {
    room: string;
    text: string[];
    /** What follows `--`. */
    '--'?: string[];
  };

export const sendCommand: CommandModule<object, SendOptions> = {
  command: 'send <room> [text..]',
  describe: 'Send a message',
  builder: (command) =>
    command
      .usage(
        '$0 send ROOM TEXT|-\n\nSends a message to a room, by its id or name; ends once the message is stored.',
      )
      .positional('room', { type: 'string', demandOption: true, describe: 'Its id or name' })
      .positional('text', {
        type: 'string',
        array: true,
        default: [],
        defaultDescription: 'stdin',
        describe: 'The message, in quotes; `-`: stdin is the message. Behind `--` it may begin with dashes',
      })
      .options(sendOptions)
      .example([
        ['$0 send tea "Water boils." --user anna', 'asks for the password'],
        ['df -h | $0 send ops - --user bot', 'all that df says is one message'],
        ['journalctl -f | $0 send ops - --lines', 'each line is one'],
      ]),
  handler: (options: ArgumentsCamelCase<SendOptions>) => {
    // The parser leaves out a `-`: no text is left then.
    const [text, ...more] = [...options.text, ...(options['--'] ?? [])];
    if (more.length > 0) throw new UsageError('A message is one argument: put it in quotes.');
    if (options.lines && text !== undefined) throw new UsageError('--lines goes with `-`.');
    return withSession(options, async (client, signal) => {
      const output = new Output(options.json);
      const room = await enterRoom(client, options.room, { join: options.join, signal });
      for await (const content of text === undefined ? texts(options.lines) : [text]) {
        const { id, roomId, sentAt } = await room.send(content, { signal });
        if (options.json) await output.write({ id, roomId, sentAt }, () => '');
      }
    });
  },
};

/** The messages on stdin: its lines but empty ones, or all of it but the end of its last line. */
async function* texts(byLine: boolean): AsyncGenerator<string, void, void> {
  if (!byLine) {
    const all = (await readAll(process.stdin)).replace(/\r?\n$/u, '');
    if (all === '') throw new UsageError('There is nothing on stdin to send.');
    yield all;
    return;
  }
  for await (const line of createInterface({ input: process.stdin, terminal: false })) {
    if (line.trim() !== '') yield line;
  }
}
