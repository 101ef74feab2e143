import { describe, expect, test } from '@jest/globals';
import { wires, type WireName } from './index.ts';

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
  data: { content: '{"action":"ack"', timestamp: '2024-01-01T00:00:00.000Z', message_id: 7 },
});
const refusal = JSON.stringify({ action: 'error', original_action: 'send_message', status: 'error' });

const frames: readonly [WireName, string, string][] = [
  ['login', ack, 'confirmation'],
  ['login', delivery, 'delivery'],
  ['login', refusal, 'refusal'],
  ['login', JSON.stringify({ action: 'error', original_action: 'login', status: 'error' }), 'other'],
  ['login', '{"action":"a', 'other'],
  ['socket.io', '0{"sid":"a","upgrades":[],"pingInterval":25000}', 'other'],
  ['socket.io', '40{"sid":"b"}', 'other'],
  ['socket.io', '2', 'ping'],
  ['socket.io', '6', 'other'],
  ['socket.io', '42["message",{"room":"r","sender":"s","content":"c","at":"t","id":3}]', 'delivery'],
  ['socket.io', '4317[{"at":"t","id":3}]', 'confirmation'],
  ['socket.io', '4317[{"error":"away"}]', 'refusal'],
  ['plain', '{"type":"message","room":"r"}', 'delivery'],
  ['plain', '{"type":"ack","at":"t","id":3}', 'confirmation'],
  ['plain', '{"type":"joined"}', 'other'],
];

test.each(frames)('on the wire %s, %s is: %s', (wire, text, kind) => {
  // Between others, as frames lie in what was read.
  const bytes = Buffer.from(`${ack}${text}${ack}`);
  const start = Buffer.byteLength(ack);
  expect(wires[wire].kindOf(bytes, start, start + Buffer.byteLength(text))).toBe(kind);
});

describe('what a frame tells', () => {
  const whole = (text: string): [Buffer, number, number] => [Buffer.from(text), 0, Buffer.byteLength(text)];

  test('of the login dialect: ids, also where something stands behind them', () => {
    expect(wires.login.confirmedId(...whole(ack))).toBe(1_234);
    expect(wires.login.deliveredId!(...whole(delivery))).toBe(7);
    expect(wires.login.confirmedId(Buffer.from(`${refusal}${ack}`), 0, refusal.length)).toBe(0);
  });

  test('of socket.io: which send is acknowledged, under which id', () => {
    const frame = whole('431234[{"at":"2024-01-01T00:00:00.000Z","id":99}]');
    expect(wires['socket.io'].confirmedSequence!(...frame)).toBe(1_234);
    expect(wires['socket.io'].confirmedId(...frame)).toBe(99);
  });
});
