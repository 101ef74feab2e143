import type { Client } from '@parley/client';
import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { Chat } from '../chat/chat.ts';
import { completeLine } from '../chat/complete-line.ts';
import { Desk } from '../chat/desk.ts';
import { renderAsJson, renderForPeople, renderForPrograms } from '../chat/entry.ts';
import type { Render } from '../chat/entry.ts';
import { LineScreen } from '../chat/line-screen.ts';
import type { Screen } from '../chat/screen.ts';
import { TerminalScreen } from '../chat/terminal-screen.ts';
import { CliError } from '../cli-error.ts';
import { clientOptions } from '../options.ts';
import type { ClientOptions } from '../options.ts';
import { createPaint, noPaint } from '../text/paint.ts';
import type { Paint } from '../text/paint.ts';
import { withSession } from '../with-session.ts';

type ChatOptions = ClientOptions & { room?: string | undefined };

export const chatCommand: CommandModule<object, ChatOptions> = {
  command: 'chat [room]',
  describe: 'Chat: rooms, history, files',
  builder: (command) =>
    command
      .usage(
        '$0 chat [ROOM]\n\n' +
          'A chat in the terminal. What you type is said in the room you look at; /help lists the commands; Ctrl-C or Ctrl-D leaves.\n' +
          'Without a terminal it says the lines of stdin and prints what comes, a line each; at the end of stdin it leaves.',
      )
      .positional('room', {
        type: 'string',
        describe: 'The room to begin with, by its id or name; a public one is joined',
      })
      .options(clientOptions)
      .example([
        ['$0 chat --guest anna', 'look around, in the room `default`'],
        ['$0 chat --user anna --register', 'make an account, then chat'],
        ['$0 chat tea --url wss://chat.example.org', 'on another server'],
        ['my-bot | $0 chat ops --json --user bot', 'a program that chats: JSON objects come out'],
      ]),
  handler: (options: ArgumentsCamelCase<ChatOptions>) =>
    withSession(options, (client, signal) => chat(client, options, signal), { patienceMs: Infinity }),
};

async function chat(client: Client, { room, json }: ChatOptions, ended: AbortSignal): Promise<void> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([ended, leaving.signal]);
  const view = openView(client, json, () => {
    leaving.abort();
  });
  using screen = view.screen;
  let lost: CliError | undefined;
  client.on(
    'state',
    (state) => {
      if (state.status !== 'closed' || state.reason === 'logged-out') return;
      lost = new CliError(endTexts[state.reason]);
      leaving.abort();
    },
    { signal },
  );
  signal.addEventListener('abort', () => {
    screen[Symbol.dispose]();
  });
  const desk = new Desk({ client, screen, render: view.render, paint: view.paint });
  await new Chat({ client, desk, lines: screen.lines(), signal }).run(room);
  if (lost) throw lost;
}

const endTexts = {
  closed: 'The connection was closed.',
  'taken-over': 'You came in from elsewhere, so this chat ended.',
  'session-ended': 'Your session ended; log in again.',
};

interface View {
  screen: Screen;
  render: Render;
  paint: Paint;
}

function openView(client: Client, isJson: boolean, onInterrupt: () => void): View {
  const { stdin: input, stdout: output } = process;
  if (isJson || !input.isTTY || !output.isTTY) {
    return {
      screen: new LineScreen(input, output),
      render: isJson ? renderAsJson : renderForPrograms,
      paint: noPaint,
    };
  }
  const completer = (line: string) => completeLine(line, client.rooms);
  const paint = createPaint(output);
  return {
    screen: new TerminalScreen({ input, output, completer, onInterrupt }),
    render: renderForPeople(() => ({ columns: output.columns, paint })),
    paint,
  };
}
