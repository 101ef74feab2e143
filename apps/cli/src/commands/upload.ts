import type { FileFacts, Room } from '@parley/client';
import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes } from 'yargs';
import { openFile } from '../files/path-source.ts';
import { openProgressBar } from '../files/progress.ts';
import { clientOptions } from '../options.ts';
import type { ClientOptions } from '../options.ts';
import { Output } from '../output.ts';
import { enterRoom } from '../rooms.ts';
import { toPlainLine } from '../text/plain-text.ts';
import { formatBytes } from '../text/quantities.ts';
import { withSession } from '../with-session.ts';
import { roomOptions } from './room-options.ts';

const uploadOptions = {
  ...clientOptions,
  ...roomOptions,
  type: { type: 'string', requiresArg: true, describe: 'The media type to give the files, as image/png' },
} as const;

type UploadOptions = ClientOptions &
  InferredOptionTypes<typeof uploadOptions> & { room: string; file: string[] };

export const uploadCommand: CommandModule<object, UploadOptions> = {
  command: 'upload <room> <file..>',
  describe: 'Send files',
  builder: (command) =>
    command
      .usage(
        '$0 upload ROOM FILE...\n\n' +
          'Sends files to a room. An upload that breaks off, even with this command, goes on where it was when it is repeated.',
      )
      .positional('room', { type: 'string', demandOption: true, describe: 'Its id or name' })
      .positional('file', { type: 'string', array: true, demandOption: true, describe: 'Paths of files' })
      .options(uploadOptions)
      .example([['$0 upload tea photos/*.jpg --user anna', 'one after the other, with a progress bar']]),
  handler: (options: ArgumentsCamelCase<UploadOptions>) =>
    withSession(options, async (client, signal) => {
      const output = new Output(options.json);
      const room = await enterRoom(client, options.room, { join: options.join, signal });
      for (const path of options.file) {
        const { name, size, sha256 } = await uploadOne(room, path, { type: options.type, signal });
        await output.write(
          { name, size, sha256, roomId: room.id },
          () => `${toPlainLine(name)} (${formatBytes(size)})`,
        );
      }
    }),
};

async function uploadOne(
  room: Room,
  path: string,
  { type, signal }: { type: string | undefined; signal: AbortSignal },
): Promise<FileFacts> {
  await using file = await openFile(path);
  using bar = openProgressBar(file.source.name);
  return await room.upload(file.source, {
    ...(type !== undefined && { type }),
    signal,
    onProgress: (progress) => {
      bar.show(progress);
    },
  });
}
