/** The first byte of a client's frame (RFC 6455, section 5.2). */
export const firstBytes = { text: 0x81, compressedText: 0xc1, ping: 0x89 } as const;

/** A whole frame as a client sends it, masked with zeros: servers can't tell, and it costs nothing. */
export function clientFrame(firstByte: number, payload: Buffer): Buffer {
  const { length } = payload;
  const [code, lengthBytes] = length < 126 ? [length, 0] : length < 65_536 ? [126, 2] : [127, 8];
  const head = Buffer.alloc(2 + lengthBytes + 4);
  head[0] = firstByte;
  head[1] = 0x80 | code;
  if (lengthBytes === 2) head.writeUInt16BE(length, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}
