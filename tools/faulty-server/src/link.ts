import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { ConnectionJudge } from './judge.ts';
import type { Direction, Rule } from './rules.ts';

/** A fault as it happened. */
export interface Injected {
  fault: Rule['fault'];
  /** The number of the connection, from 1. */
  connection: number;
  direction?: Direction;
  /** Of the frame at which it happened. */
  action?: string;
}

export interface LinkParts {
  connection: number;
  client: WebSocket;
  server: WebSocket;
  judge: ConnectionJudge;
  injected: (fault: Injected) => void;
  /** Sends everybody away. */
  drain: (rule: Rule) => void;
}

interface Passing {
  data: Buffer;
  isBinary: boolean;
}

/** Unsent bytes from which on no more is read at the other end, so that a slow reader is one for the server, too. */
const mostUnsentBytes = 262_144;
/** How long a frame that is to change places waits for the next one, in ms. */
const reorderMs = 500;
const delayMs = 300;
const goingAway = 1001;
/** A code that says that there was none, and one for a connection that broke: neither may be sent. */
const noCode = 1005;
const broken = 1006;

/** One client's connection and ours to the server for it. */
export class Link {
  readonly #parts: LinkParts;
  /** Until it resolves nothing passes. */
  #flowing: Promise<unknown> | undefined;
  /** It was ended by a fault. */
  #isOver = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    const { client, server } = parts;
    this.#lane('to-server', client, server);
    this.#lane('to-client', server, client);
    // The server's pings ask for the client, not for us.
    server.on('ping', (data) => {
      if (client.readyState === client.OPEN) client.ping(data);
    });
    client.on('pong', (data) => {
      if (server.readyState === server.OPEN) server.pong(data);
    });
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#isOver = true;
    this.#parts.client.terminate();
    this.#parts.server.terminate();
  }

  /** @param code What the client is told. */
  close(code: number): void {
    this.#isOver = true;
    this.#parts.client.close(code);
    this.#parts.server.close(goingAway);
  }

  #lane(direction: Direction, from: WebSocket, to: WebSocket): void {
    /** One frame at a time: each is behind the one before. */
    let passed: Promise<unknown> = Promise.resolve();
    /** What lets the next one go first. */
    const held: Passing[] = [];
    const emit = (frame: Passing): void => {
      if (to.readyState !== to.OPEN) return;
      to.send(frame.data, { binary: frame.isBinary }, () => {
        if (from.isPaused && !this.#flowing && to.bufferedAmount < mostUnsentBytes) from.resume();
      });
      if (to.bufferedAmount >= mostUnsentBytes) from.pause();
    };
    const release = (): void => {
      for (const frame of held.splice(0)) emit(frame);
    };
    const pass = async (frame: Passing): Promise<void> => {
      const action = actionOf(frame);
      const rule = this.#parts.judge.onFrame(direction, action);
      if (rule)
        this.#parts.injected({ fault: rule.fault, connection: this.#parts.connection, direction, action });
      if (rule?.fault === 'delay') await delay(rule.ms ?? delayMs);
      if (rule?.fault === 'stall') this.#stall(rule);
      while (this.#flowing) await this.#flowing;
      if (rule?.fault === 'reorder') {
        held.push(frame);
        setTimeout(release, rule.ms ?? reorderMs).unref();
        return;
      }
      if (!rule || goesThrough(rule)) emit(frame);
      if (rule?.fault === 'duplicate') emit(frame);
      release();
      if (rule) this.#end(rule);
    };
    from.on('message', (data: Buffer, isBinary) => {
      passed = passed.then(() => (this.#isOver ? undefined : pass({ data, isBinary })));
    });
    from.once('close', (code) => {
      if (this.#flowing) this.cut();
      // What is on its way arrives before the end does.
      void passed.then(() => {
        if (this.#isOver) return;
        release();
        if (code === broken) to.terminate();
        else if (code === noCode) to.close();
        else to.close(code);
      });
    });
    // `close` follows.
    from.on('error', () => undefined);
  }

  #end(rule: Rule): void {
    if (rule.fault === 'cut') this.cut();
    else if (rule.fault === 'close') this.close(rule.code ?? goingAway);
    else if (rule.fault === 'drain') this.#parts.drain(rule);
  }

  /** Nothing passes, neither way, and nothing is read; for ever where no time is given. */
  #stall({ ms }: Rule): void {
    const { client, server } = this.#parts;
    const sockets = [client, server].filter((socket) => socket.readyState === socket.OPEN);
    for (const socket of sockets) socket.pause();
    const end = ms === undefined ? new Promise(() => undefined) : delay(ms);
    this.#flowing = end.then(() => {
      this.#flowing = undefined;
      for (const socket of sockets) socket.resume();
    });
  }
}

/** A frame that is lost with its connection, or by itself, does not. */
function goesThrough({ fault, passes }: Rule): boolean {
  return passes ?? (fault !== 'drop' && fault !== 'cut');
}

function actionOf({ data, isBinary }: Passing): string {
  if (isBinary) return '';
  try {
    const { action } = JSON.parse(data.toString()) as { action?: unknown };
    return typeof action === 'string' ? action : '';
  } catch {
    return '';
  }
}
