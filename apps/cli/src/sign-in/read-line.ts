import { once } from 'node:events';
import type { Readable } from 'node:stream';

const newline = 0x0a;

/**
 * The first line of a stream, without its end; the rest stays in the stream for who reads on. What there is where the stream
 * ends without one.
 */
export async function readLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  while (!input.readableEnded) {
    const chunk = input.read() as Buffer | null;
    if (chunk === null) {
      await Promise.race([once(input, 'readable'), once(input, 'end')]);
      continue;
    }
    const end = chunk.indexOf(newline);
    if (end === -1) {
      chunks.push(chunk);
      continue;
    }
    chunks.push(chunk.subarray(0, end));
    if (end + 1 < chunk.length) input.unshift(chunk.subarray(end + 1));
    break;
  }
  return Buffer.concat(chunks).toString().replace(/\r$/u, '');
}
