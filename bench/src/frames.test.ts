import { describe, expect, test } from '@jest/globals';
import {
  contentOf,
  lastNumber,
  markOf,
  markOfSend,
  minContentBytes,
  readMark,
  SendFrames,
} from './frames.ts';
import { FrameReader, mask, textFrame } from './websocket.ts';
import { wires } from './wires/index.ts';
import type { Seat } from './wires/index.ts';

/** A frame as a server writes it. */
function serverFrame(payload: string, opcode = 1): Buffer {
  const body = Buffer.from(payload);
  const header =
    body.length < 126
      ? [body.length]
      : body.length < 65_536
        ? [126, body.length >> 8, body.length & 255]
        : [127, 0, 0, 0, 0, 0, body.length >> 16, (body.length >> 8) & 255, body.length & 255];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...header]), body]);
}

/** The payload of a client's frame, as the server will read it. */
function unmasked(bytes: Buffer, payloadStart: number): string {
  const payload = Buffer.from(bytes.subarray(payloadStart));
  return payload.map((byte, index) => byte ^ mask[index & 3]!).toString();
}

const seat: Seat = { number: 12, url: 'ws://127.0.0.1:1', user: 'anna', key: 'k', roomId: 'room_0a1b' };
const at = 1_234_567_890_123;

describe('the frame reader', () => {
  const short = ['', 'a', 'x'.repeat(125), 'y'.repeat(126), '{}'];
  const long = ['z'.repeat(65_535), 'w'.repeat(70_000)];

  test.each([
    ...[1, 2, 3].map((size) => [size, short] as const),
    ...[7, 1_000, 65_536, 200_000].map((size) => [size, [...short, ...long, ...short]] as const),
  ])('finds the frames in pieces of %i bytes', (size, payloads) => {
    const bytes = Buffer.concat(payloads.map((payload) => serverFrame(payload)));
    const seen: string[] = [];
    const reader = new FrameReader((all, start, end) => seen.push(all.toString('utf8', start, end)));
    for (let from = 0; from < bytes.length; from += size) reader.push(bytes.subarray(from, from + size));
    expect(seen).toEqual(payloads);
  });

  test('tells control frames apart from text', () => {
    const seen: [number, string][] = [];
    const reader = new FrameReader(
      () => seen.push([1, 'text']),
      (opcode, payload) => seen.push([opcode, payload.toString()]),
    );
    reader.push(Buffer.concat([serverFrame('hi', 9), serverFrame('{}'), serverFrame('\x03\xe9', 8)]));
    expect(seen.map(([opcode]) => opcode)).toEqual([9, 1, 8]);
    expect(seen[0]).toEqual([9, 'hi']);
  });
});

describe('frames that send', () => {
  /** The text of the how-manieth of three frames that begin with send 1,234. */
  function textOf(text: string, index: number): string {
    const bytes = new SendFrames(text).take(1_234, 3, at);
    const length = bytes.length / 3;
    return unmasked(bytes.subarray(index * length, (index + 1) * length), 8);
  }

  test.each([
    [undefined, undefined],
    [markOfSend(seat.number), '12:0000001234.'],
  ])('of the login dialect, with an id of their own: %s', (clientMessageId, expected) => {
    const text = wires.login.sendText(seat, contentOf(12, 200), clientMessageId);
    const { action, data } = JSON.parse(textOf(text, 0));
    expect(action).toBe('send_message');
    expect(data.room_id).toBe('room_0a1b');
    expect(data.client_message_id).toBe(expected);
    expect(Buffer.byteLength(data.content)).toBe(200);
    expect(markOf(data.content)).toEqual({ connection: 12, sequence: 1_234 });
    expect(markOf(JSON.parse(textOf(text, 2)).data.content)).toEqual({ connection: 12, sequence: 1_236 });
  });

  test('of socket.io carry their number as that of the packet', () => {
    const text = textOf(wires['socket.io'].sendText(seat, contentOf(12, 200)), 1);
    expect(text).toMatch(/^420000001235\["send","room_0a1b","12:0000001235\./);
  });

  test('are masked, whatever their length', () => {
    for (const text of ['{}', 'x'.repeat(126), 'y'.repeat(70_000)]) {
      const { bytes, payloadStart } = textFrame(text);
      expect(bytes[1]! & 0x80).toBe(0x80);
      expect(unmasked(bytes, payloadStart)).toBe(text);
    }
  });

  test('tell what they were when they come back as deliveries', () => {
    const { data } = JSON.parse(textOf(wires.login.sendText(seat, contentOf(12, 100)), 0));
    const mark = { connection: 0, sequence: 0, sentAt: 0 };
    readMark(Buffer.from(`"${data.content}"`), 1, mark);
    expect(mark).toEqual({ connection: 12, sequence: 1_234, sentAt: at });
    expect(contentOf(99_999, minContentBytes)).toHaveLength(minContentBytes);
  });

  test('somebody else’s content has no mark', () => {
    expect(markOf('hello')).toBeUndefined();
  });
});

test.each([
  ['{"content":"5","id":17}}', 17],
  ['[{"id":1234567890}]', 1_234_567_890],
  ['{"id":"none"}', 0],
])('the last number of %s is %i', (text, expected) => {
  const bytes = Buffer.from(`9${text}8`);
  expect(lastNumber(bytes, 1, bytes.length - 1)).toBe(expected);
});
