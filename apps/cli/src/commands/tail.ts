import type { Message, Room } from '@parley/client';
import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { UsageError } from '../cli-error.ts';
import { clientOptions } from '../options.ts';
import type { ClientOptions } from '../options.ts';
import { Output } from '../output.ts';
import { enterRoom } from '../rooms.ts';
import { messageForPeople, messageForPrograms } from '../text/message-text.ts';
import { createPaint } from '../text/paint.ts';
import { withSession } from '../with-session.ts';
import { messageJson } from '../text/message-json.ts';
import { roomOptions } from './room-options.ts';

/** Messages of one page of history. */
const pageMessages = 100;

const tailOptions = {
  ...clientOptions,
  ...roomOptions,
  last: {
    alias: 'n',
    type: 'number',
    requiresArg: true,
    default: 10,
    describe: 'Begin with so many of the newest messages',
  },
  after: {
    type: 'number',
    requiresArg: true,
    describe: 'Begin behind the message with this id instead: nothing is missed between two runs',
  },
  follow: { type: 'boolean', default: true, describe: 'Go on with what is new; --no-follow ends' },
} as const;

type TailOptions = ClientOptions & InferredOptionTypes<typeof tailOptions> & { room: string };

export const tailCommand: CommandModule<object, TailOptions> = {
  command: 'tail <room>',
  describe: 'Print a room’s messages as they come',
  builder: (command) =>
    command
      .usage(
        '$0 tail ROOM\n\nPrints the newest messages of a room, then what is new, each once and in order, until Ctrl-C.',
      )
      .positional('room', { type: 'string', demandOption: true, describe: 'Its id or name' })
      .options(tailOptions)
      .example([
        ['$0 tail tea --user anna', 'ten messages, and what is new'],
        ['$0 tail tea -n 100 --no-follow', 'the newest hundred'],
        ['$0 tail ops --after 4711 --json', 'what followed message 4711, one JSON object a line'],
      ]),
  handler: (options: ArgumentsCamelCase<TailOptions>) => {
    if (!isCount(options.last)) throw new UsageError('--last has to be a whole number, 0 or more.');
    if (options.after !== undefined && !isCount(options.after)) {
      throw new UsageError('--after has to be the id of a message.');
    }
    return withSession(
      options,
      async (client, signal) => {
        const room = await enterRoom(client, options.room, { join: options.join, signal });
        const output = new Output(options.json);
        const newestId = (await room.history({ limit: 1, signal })).messages[0]?.id ?? 0;
        // Ids have no holes: so many messages ago is so many ids ago.
        const after = options.after ?? Math.max(0, newestId - options.last);
        const messages = options.follow
          ? room.messages({ after, signal })
          : pages(room, { after, upTo: newestId, signal });
        for await (const message of messages) {
          await output.write(messageJson(message), () => messageText(message, output));
        }
      },
      { patienceMs: Infinity },
    );
  },
};

/** The messages with ids above `after` up to `upTo`. */
async function* pages(
  room: Room,
  { after, upTo, signal }: { after: number; upTo: number; signal: AbortSignal },
): AsyncGenerator<Message, void, void> {
  for (let last = after; last < upTo;) {
    const { messages } = await room.history({
      after: last,
      limit: Math.min(pageMessages, upTo - last),
      signal,
    });
    yield* messages;
    last = messages.at(-1)?.id ?? upTo;
  }
}

function messageText(message: Message, output: Output): string {
  if (!output.isTerminal) return messageForPrograms(message);
  return messageForPeople(message, { columns: output.columns, paint: createPaint(process.stdout) });
}

function isCount(given: number): boolean {
  return Number.isSafeInteger(given) && given >= 0;
}
