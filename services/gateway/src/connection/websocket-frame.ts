/** Opcode 1 (text) with FIN set: RFC 6455, section 5.2. */
const finalText = 0x81;

/**
 * One unmasked text frame, ready to be written to any number of sockets. A server's frames are never masked
 * (RFC 6455, section 5.1), so the same bytes serve all.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = finalText;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength);
  return frame;
}

/** What was counted last: the bytes that go to everybody in a room are counted once. */
let counted: { frames: Buffer; count: number } = { frames: Buffer.alloc(0), count: 0 };

/** How many unmasked frames stand behind one another in the bytes, which do not change: only their headers are looked at. */
export function countFrames(frames: Buffer): number {
  if (frames !== counted.frames) counted = { frames, count: countHeaders(frames) };
  return counted.count;
}

function countHeaders(frames: Buffer): number {
  let count = 0;
  for (let offset = 0; offset < frames.length; count += 1) {
    const length = frames[offset + 1]!;
    if (length < 126) offset += 2 + length;
    else if (length === 126) offset += 4 + frames.readUInt16BE(offset + 2);
    else offset += 10 + Number(frames.readBigUInt64BE(offset + 2));
  }
  return count;
}
