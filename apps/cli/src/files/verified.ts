import { createHash } from 'node:crypto';
import { CliError } from '../cli-error.ts';

/**
 * Passes bytes on, and ends well only where they were the right ones.
 * @param file.sha256 What they have to have, in hex.
 * @throws CliError at the end of wrong ones.
 */
export async function* verified(
  stream: AsyncIterable<Uint8Array>,
  file: { name: string; sha256: string },
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256');
  for await (const chunk of stream) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== file.sha256) {
    throw new CliError(`${file.name} did not arrive as it was sent; try again.`);
  }
}
