import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readCorpus } from '../corpus.ts';
import { anyText, mutatedText } from '../generation/hostile.ts';
import { leakIn } from '../leaks.ts';
import { patienceMs } from './part.ts';
import type { PartContext } from './part.ts';
import { WebSocketBytes } from './websocket-bytes.ts';

const connectionsAtATime = 6;

/** Bytes as no client sends them: HTTP that is none, upgrades, and WebSocket frames against their rules. */
export async function fuzzBytes(context: PartContext): Promise<void> {
  const corpus = readCorpus('http').map(({ text }) => text);
  await context.budget.prepared();
  await Promise.all(
    Array.from({ length: connectionsAtATime }, async () => {
      const random = context.random.fork();
      const frames = new WebSocketBytes(random);
      while (!context.budget.isOver) {
        const known = random.pick(corpus);
        const text = random.isTrue(0.2) ? known : mutatedText(known, random);
        const request = Buffer.from(random.isTrue(0.02) ? anyText(random) : text, 'latin1');
        const bytes = random.isTrue(0.5) ? Buffer.concat([upgrade, frames.next()]) : request;
        context.budget.sent.bytes += 1;
        await sendOne(context, bytes);
      }
    }),
  );
}

const upgrade = Buffer.from(
  [
    'GET /ws HTTP/1.1',
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n'),
);

async function sendOne({ system, findings }: PartContext, bytes: Buffer): Promise<void> {
  const { port } = new URL(system.gateway.url);
  const answer = await answerTo(Number(port), bytes);
  const what = answer === undefined ? 'a connection stays open after its end' : problemIn(answer);
  if (what !== undefined)
    findings.add({ part: 'bytes', what, input: [JSON.stringify(bytes.toString('latin1'))] });
}

/** Everything that comes back until the end; undefined where there is none. We say all at once, and end. */
async function answerTo(port: number, bytes: Buffer): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => {
    // To be cut off is an answer, too.
  });
  socket.on('end', () => socket.end());
  const closed = once(socket, 'close').then(() => Buffer.concat(parts).toString('latin1'));
  socket.end(bytes);
  const waiting = new AbortController();
  const late = delay(patienceMs, undefined, { signal: waiting.signal }).catch(() => undefined);
  const answer = await Promise.race([closed, late]);
  waiting.abort();
  socket.destroy();
  return answer;
}

const statusLine = /^HTTP\/1\.1 (\d{3}) /gm;

/** What is wrong with what came back. */
function problemIn(answer: string): string | undefined {
  const failed = [...answer.matchAll(statusLine)].find(([, status]) => Number(status) >= 500);
  if (failed) return `answered with ${failed[1]!}`;
  // The words of an error; all else that comes back are pages, or what was sent.
  const errors = answer.match(/\{"status":"error"[^\r\n]*|\{"action":"error"[^\x80-\x9f]*/g) ?? [];
  const leak = errors.map(leakIn).find((each) => each !== undefined);
  return leak === undefined ? undefined : `an error says "${leak}"`;
}
