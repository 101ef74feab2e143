import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

const mebibyte = 2 ** 20;
const size = 500 * mebibyte;
const chunkBytes = 64 * 1_024;
const packets = size / chunkBytes;
const window = 32;
/** Far below the file's size, and far above what a process has at rest (about 125 MiB) and its collector lets pile up. */
const maxResidentBytes = 400 * mebibyte;

let parley: Parley;
beforeAll(async () => {
  // Into a folder: with S3 most of the time would go into its server. To it our files go in parts of 8 MiB, whatever their size.
  parley = await startParley({ environment: { S3_ENDPOINT: 'none' } });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** Resident memory as `/metrics` tells it, in bytes. */
async function residentBytes(service: 'gateway' | 'files'): Promise<number> {
  const { gateways, services } = parley.stack;
  const { healthUrl } = service === 'gateway' ? gateways[0]! : services.files[0]!;
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  return Number(/^parley_process_resident_memory_bytes (.+)$/m.exec(text)?.[1]);
}

/** Watches both processes while something goes on; answers with the most that each had. */
async function peaksDuring(work: () => Promise<void>): Promise<Record<'gateway' | 'files', number>> {
  const peaks = { gateway: 0, files: 0 };
  const watching = setInterval(() => {
    for (const service of ['gateway', 'files'] as const) {
      void residentBytes(service).then((bytes) => (peaks[service] = Math.max(peaks[service], bytes)));
    }
  }, 250);
  await work();
  clearInterval(watching);
  return peaks;
}

/** A connection whose frames go to one listener and are kept by nobody. */
async function connect(): Promise<{
  socket: WebSocket;
  ask: (action: string, data: object) => Promise<any>;
}> {
  const socket = new WebSocket(parley.stack.gateways[0]!.webSocketUrl, { perMessageDeflate: false });
  await once(socket, 'open');
  const ask = async (action: string, data: object) => {
    socket.send(JSON.stringify({ action, data }));
    const [text] = (await once(socket, 'message')) as [Buffer];
    return JSON.parse(text.toString()).data;
  };
  await ask('register', { chatid: 'anna', password });
  await ask('login', { chatid: 'anna', password });
  return { socket, ask };
}

test('500 MiB go up and down through little memory, also past a reader that pauses', async () => {
  const { socket, ask } = await connect();
  const { room_id } = await ask('create_room', { room_name: 'files', participants: [] });
  const file = { room_id, file_path: 'large' };
  const chunk = randomBytes(chunkBytes);
  const file_data = chunk.toString('base64');

  const up = await peaksDuring(async () => {
    await ask('file_send_init', { ...file, file_size: size, file_type: '', total_packets: packets });
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      let stored = 0;
      const send = () => {
        sent += 1;
        socket.send(
          JSON.stringify({ action: 'file_send_data', data: { ...file, sequence_number: sent, file_data } }),
        );
      };
      const listen = (text: Buffer) => {
        if (!text.includes('"success"')) reject(new Error(text.toString()));
        stored += 1;
        if (sent < packets) send();
        if (stored < packets) return;
        socket.off('message', listen);
        resolve();
      };
      socket.on('message', listen);
      while (sent < window) send();
    });
    expect(await ask('file_send_fin', { ...file, total_packets: packets })).toMatchObject({
      file_size: size,
    });
  });

  const hash = createHash('sha256');
  const down = await peaksDuring(async () => {
    let received = 0;
    socket.send(JSON.stringify({ action: 'file_down_req', data: file }));
    await new Promise<void>((resolve) => {
      socket.on('message', (text: Buffer) => {
        if (text.includes('file_down_data')) {
          received += 1;
          hash.update(Buffer.from(JSON.parse(text.toString()).data.file_data, 'base64'));
          if (received === packets / 2) {
            socket.pause();
            setTimeout(() => {
              socket.resume();
            }, 2_000);
          }
        } else if (text.includes('file_down_fin')) resolve();
      });
    });
    expect(received).toBe(packets);
  });
  const expected = createHash('sha256');
  for (let sequence = 0; sequence < packets; sequence += 1) expected.update(chunk);
  expect(hash.digest('hex')).toBe(expected.digest('hex'));
  socket.terminate();

  for (const peaks of [up, down]) {
    for (const service of ['gateway', 'files'] as const) {
      expect(peaks[service]).toBeGreaterThan(0);
      expect(peaks[service]).toBeLessThan(maxResidentBytes);
    }
  }
}, 400_000);
