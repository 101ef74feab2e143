import { beginUpload, finishUpload, listFiles, openDownload, putChunks, readFile } from '@parley/protocol';
import { callerOf, endpoint, endpointWithBytes, noBytes } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Files } from './files.ts';
import type { Uploads } from './uploads.ts';

export interface FilesServiceParts {
  uploads: Uploads;
  files: Files;
}

/** The service's endpoints on the bus. */
export function filesService({ uploads, files }: FilesServiceParts): Endpoint[] {
  return [
    endpoint(beginUpload, (request, context) => uploads.begin(callerOf(context), request, context.deadline)),
    endpointWithBytes(putChunks, async (request, context, bytes) => {
      const refused = await uploads.put(callerOf(context), request, bytes, context.deadline);
      return { reply: { refused }, bytes: noBytes };
    }),
    endpoint(finishUpload, async (request, context) => {
      const file = await uploads.finish(callerOf(context), request, context.deadline);
      return file ? { file } : {};
    }),
    endpoint(listFiles, (request, context) => files.list(callerOf(context), request)),
    endpoint(openDownload, (request, context) => files.open(callerOf(context), request)),
    endpointWithBytes(readFile, async (request, { deadline }) => ({
      reply: {},
      bytes: await files.read(request, deadline),
    })),
  ];
}
