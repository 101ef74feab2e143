import { describe, expect, test } from '@jest/globals';
import { kindOf, markOf, messageIdIn, SendFrames } from './frames.ts';
import { FrameReader, mask, textFrame } from './websocket.ts';

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

const ack = JSON.stringify({
  action: 'ack',
  status: 'success',
  message: 'Action processed successfully.',
  data: { transaction_id: 'room_0a1b.1234', room_id: 'room_0a1b', message_id: 1234, timestamp: '2024' },
});
const delivery = JSON.stringify({
  action: 'receive_message',
  status: 'success',
  message: 'New message received.',
  data: { content: '{"action":"ack"', message_id: 7 },
});
const refusal = JSON.stringify({ action: 'error', original_action: 'send_message', status: 'error' });
const otherError = JSON.stringify({ action: 'error', original_action: 'login', status: 'error' });

describe('the frame reader', () => {
  const payloads = ['', 'a', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(65_535), 'w'.repeat(70_000), ack];
  const bytes = Buffer.concat(payloads.map((payload) => serverFrame(payload)));

  test.each([1, 2, 3, 7, 1_000, 65_536, bytes.length])('finds the frames in pieces of %i bytes', (size) => {
    const seen: string[] = [];
    const reader = new FrameReader((all, start, end) => seen.push(all.toString('utf8', start, end)));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
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

describe('a frame that came', () => {
  const around = Buffer.from(`${delivery}${ack}${refusal}${otherError}`);
  const at = (text: string): [Buffer, number, number] => {
    const start = around.indexOf(text);
    return [around, start, start + text.length];
  };

  test.each([
    [ack, 'confirmation'],
    [delivery, 'delivery'],
    [refusal, 'refusal'],
    [otherError, 'other'],
    ['{"action":"a', 'other'],
  ])('%s is a %s', (text, kind) => {
    expect(kindOf(Buffer.from(text), 0, text.length)).toBe(kind);
  });

  test('is read where it lies, between others', () => {
    expect(kindOf(...at(ack))).toBe('confirmation');
    expect(messageIdIn(...at(ack))).toBe(1234);
    expect(messageIdIn(...at(delivery))).toBe(7);
  });

  test('without a message_id gives 0, whatever follows it', () => {
    const bytes = Buffer.from(`${refusal}${ack}`);
    expect(messageIdIn(bytes, 0, refusal.length)).toBe(0);
  });
});

describe('frames that send', () => {
  test.each([
    [false, undefined],
    [true, '12:0000001234.'],
  ])('with ids of their own: %s', (withClientIds, clientMessageId) => {
    const frames = new SendFrames('room_0a1b', 12, 200, withClientIds);
    const bytes = frames.take(1_234, 3);
    const frame = bytes.subarray(0, bytes.length / 3);
    const { action, data } = JSON.parse(unmasked(frame, 8));
    expect(action).toBe('send_message');
    expect(data.room_id).toBe('room_0a1b');
    expect(data.client_message_id).toBe(clientMessageId);
    expect(Buffer.byteLength(data.content)).toBe(200);
    expect(markOf(data.content)).toEqual({ connection: 12, sequence: 1_234 });
    const last = JSON.parse(unmasked(bytes.subarray((bytes.length / 3) * 2), 8));
    expect(markOf(last.data.content)).toEqual({ connection: 12, sequence: 1_236 });
  });

  test('are masked, whatever their length', () => {
    for (const text of ['{}', 'x'.repeat(126), 'y'.repeat(70_000)]) {
      const { bytes, payloadStart } = textFrame(text);
      expect(bytes[1]! & 0x80).toBe(0x80);
      expect(unmasked(bytes, payloadStart)).toBe(text);
    }
  });

  test('somebody else’s content has no mark', () => {
    expect(markOf('hello')).toBeUndefined();
  });
});
