import { deflateRawSync } from 'node:zlib';
import type { Attack } from './attack.ts';
import { clientFrame, firstBytes } from './client-frame.ts';

/** The largest that a gateway takes (`MAX_FRAME_BYTES`), unless it is told otherwise. */
const maxFrameBytes = 1_048_576;
const bombBytes = 64 * maxFrameBytes;

/** Frames that are larger than any may be. */
export const hugeFrames: Attack = (attacker, force) => {
  const frame = clientFrame(firstBytes.text, Buffer.alloc(maxFrameBytes + 1, ' '));
  return attacker.keep(force, async (socket) => {
    await socket.write(frame);
    await socket.closed;
  });
};

/** Frames that are as large as they may be and nest as deeply as that allows. */
export const deepFrames: Attack = (attacker, force) => {
  const open = '{"action":"send_message","data":';
  const frame = clientFrame(firstBytes.text, Buffer.from(open.padEnd(maxFrameBytes, '[')));
  return attacker.keep(force, async (socket) => {
    while (socket.isOpen) {
      const answered = socket.next();
      await socket.write(frame);
      await answered;
      await attacker.pause(force.everyMs);
    }
  });
};

/** Offers compression, and sends frames that would be 64 MiB if they were unpacked. */
export const compressedFrames: Attack = (attacker, force) => {
  const bomb = clientFrame(firstBytes.compressedText, deflateRawSync(Buffer.alloc(bombBytes, ' ')));
  return attacker.keep(
    force,
    async (socket) => {
      await socket.write(bomb);
      await socket.closed;
    },
    { perMessageDeflate: true },
  );
};
