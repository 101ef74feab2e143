import { expect, test } from '@jest/globals';
import { UnfinishedFrame } from './unfinished-frame.ts';

test('what comes of a frame counts until it is complete', () => {
  const frame = new UnfinishedFrame(1_000_000);
  for (let n = 0; n < 10; n += 1) frame.add(65_536);
  expect(frame.heldBytes).toBe(655_360);
  frame.complete();
  expect(frame.heldBytes).toBe(0);
});

test('small frames, and those that come in one piece, never count', () => {
  const frame = new UnfinishedFrame(1_000_000);
  for (let n = 0; n < 1_000; n += 1) {
    frame.add(150);
    expect(frame.heldBytes).toBe(0);
    frame.complete();
  }
});

test('years of pongs are not taken for a frame', () => {
  const frame = new UnfinishedFrame(1_000_000);
  for (let n = 0; n < 10_000; n += 1) {
    frame.add(6 + 125);
    frame.takeControlFrame(125);
  }
  expect(frame.heldBytes).toBe(0);
});

test('pongs amid a frame do not make it smaller', () => {
  const frame = new UnfinishedFrame(1_000_000);
  frame.add(500_000);
  for (let n = 0; n < 100; n += 1) {
    frame.add(6);
    frame.takeControlFrame(0);
  }
  expect(frame.heldBytes).toBe(500_000);
});

test('no more counts than may be kept', () => {
  const frame = new UnfinishedFrame(100_000);
  for (let n = 0; n < 100; n += 1) frame.add(65_536);
  expect(frame.heldBytes).toBe(100_000);
});
