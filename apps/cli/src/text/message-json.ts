import type { Message } from '@parley/client';

/** A message as `--json` writes it. */
export function messageJson({ id, roomId, sender, sentAt, content, file }: Message): object {
  return { id, roomId, sender, sentAt, content, ...(file && { file }) };
}
