/** The same bytes in blocks of one size, but for the last. An empty source gives no block. */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  blockBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(0);
  let filled = 0;
  for await (const bytes of source) {
    for (let from = 0; from < bytes.length;) {
      if (filled === 0) block = new Uint8Array(blockBytes);
      const piece = bytes.subarray(from, from + blockBytes - filled);
      block.set(piece, filled);
      filled += piece.length;
      from += piece.length;
      if (filled < blockBytes) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
