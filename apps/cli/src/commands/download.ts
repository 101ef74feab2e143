import type { FileInfo, Room } from '@parley/client';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { CliError, UsageError } from '../cli-error.ts';
import { openProgressBar } from '../files/progress.ts';
import { expectFree, localName, save } from '../files/save.ts';
import { verified } from '../files/verified.ts';
import { clientOptions } from '../options.ts';
import type { ClientOptions } from '../options.ts';
import { Output } from '../output.ts';
import { enterRoom } from '../rooms.ts';
import { toPlainLine } from '../text/plain-text.ts';
import { formatBytes } from '../text/quantities.ts';
import { withSession } from '../with-session.ts';
import { roomOptions } from './room-options.ts';

const downloadOptions = {
  ...clientOptions,
  ...roomOptions,
  output: {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: 'Where to write it, `-` is stdout; else under its name into this folder',
  },
  force: { type: 'boolean', default: false, describe: 'Replace a file that is there' },
} as const;

type DownloadOptions = ClientOptions &
  InferredOptionTypes<typeof downloadOptions> & { room: string; name: string };

export const downloadCommand: CommandModule<object, DownloadOptions> = {
  command: 'download <room> <name>',
  describe: 'Get a file',
  builder: (command) =>
    command
      .usage(
        '$0 download ROOM NAME\n\nGets a file of a room. It is there once it is whole, and compared with what was sent by its SHA-256.',
      )
      .positional('room', { type: 'string', demandOption: true, describe: 'Its id or name' })
      .positional('name', { type: 'string', demandOption: true, describe: 'The name of the file' })
      .options(downloadOptions)
      .example([
        ['$0 download tea menu.pdf --user anna', 'into this folder'],
        ['$0 download ops logs.tar.gz -o - | tar tz', 'to another program'],
      ]),
  handler: async (options: ArgumentsCamelCase<DownloadOptions>) => {
    const isStdout = options.output === '-';
    if (isStdout && options.json) throw new UsageError('--json and --output - both want stdout.');
    const path = isStdout ? undefined : resolve(options.output ?? localName(options.name));
    if (path !== undefined) await expectFree(path, options.force);
    await withSession(options, async (client, signal) => {
      const room = await enterRoom(client, options.room, { join: options.join, signal });
      const file = await findFile(room, options.name, signal);
      using bar = openProgressBar(file.name);
      const { stream } = await room.download(file.name, {
        signal,
        onProgress: (progress) => {
          bar.show(progress);
        },
      });
      if (path === undefined) {
        await pipeline(verified(stream, file), process.stdout, { end: false });
        return;
      }
      await save(verified(stream, file), path, { replaces: options.force });
      const { name, size, sha256 } = file;
      await new Output(options.json).write({ name, size, sha256, roomId: room.id, path }, () => {
        return `${toPlainLine(path)} (${formatBytes(size)})`;
      });
    });
  },
};

/** @throws CliError naming what is there. */
async function findFile(room: Room, name: string, signal: AbortSignal): Promise<FileInfo> {
  const files = await room.files({ signal });
  const file = files.find((listed) => listed.name === name);
  if (file) return file;
  const names = files.map((listed) => toPlainLine(listed.name)).join(', ');
  throw new CliError(`There is no file ${name} in this room${names && `, but ${names}`}.`, 1, {
    code: 'file_not_found',
  });
}
