import type { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import * as ws from 'ws';
import { countFrames, textFrame } from './websocket-frame.ts';

/** The reading half of `ws`, which its types leave out. */
type FrameReader = new (options: { isServer: boolean }) => Writable;
const { Receiver } = ws as unknown as { Receiver: FrameReader };

test.each([0, 1, 125, 126, 65_535, 65_536, 1_000_000])(
  'a frame of %i bytes is read as it was written',
  (length) => {
    const text = 'x'.repeat(length);
    const receiver = new Receiver({ isServer: false });
    const read: string[] = [];
    receiver.on('message', (data: Buffer) => read.push(data.toString()));
    receiver.write(Buffer.concat([textFrame(text), textFrame('💬 next')]));
    expect(read).toEqual([text, '💬 next']);
  },
);

test('frames behind one another are counted, whatever their lengths', () => {
  const lengths = [0, 125, 126, 65_535, 65_536];
  const frames = lengths.map((length) => textFrame('x'.repeat(length)));
  expect(frames.map(countFrames)).toEqual([1, 1, 1, 1, 1]);
  expect(countFrames(Buffer.concat(frames))).toBe(5);
  expect(countFrames(Buffer.alloc(0))).toBe(0);
});
