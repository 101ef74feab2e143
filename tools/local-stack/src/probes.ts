import { request } from 'node:http';
import { connect } from 'node:net';
import { databaseName } from './postgres.ts';

const probeMs = 1_000;

/** A NATS server greets every connection with INFO. */
export async function natsAnswers(port: number): Promise<boolean> {
  return (await firstWords(port)).startsWith('INFO');
}

/** Redis answers PING with PONG or asks for its password; it says LOADING while it reads its data. */
export async function redisAnswers(port: number): Promise<boolean> {
  return /^(\+PONG|-NOAUTH)/.test(await firstWords(port, 'PING\r\n'));
}

/** Postgres asks for the password once it serves, and refuses with an error ("E") while it starts or stops. */
export async function postgresAnswers(port: number): Promise<boolean> {
  return (await firstWords(port, startupPacket())).startsWith('R');
}

/** Whether a GET is answered with 200. */
export function httpAnswers(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, timeout: probeMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${probeMs} ms`)));
    asked.once('error', reject);
    asked.end();
  });
}

function startupPacket(): Buffer {
  const body = Buffer.from(`user\0${databaseName}\0database\0${databaseName}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + body.length, 0);
  head.writeInt32BE(3 << 16, 4); // protocol 3.0
  return Buffer.concat([head, body]);
}

function firstWords(port: number, greeting?: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: probeMs });
    if (greeting) socket.write(greeting);
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
    });
    socket.once('data', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('closed without a word'));
    });
  });
}
