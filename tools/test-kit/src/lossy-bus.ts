import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A TCP proxy in front of a NATS server that can lose events on their way to some of its clients. */
export interface LossyBus extends AsyncDisposable {
  /** Give this to the processes instead of the server's own address. */
  natsUrl: string;
  /** How many messages were lost so far. */
  lost(): number;
  /**
   * From now on loses messages on their way to clients whose connection's name is given.
   * @param isLost Asked with the subject of each; undefined: nothing is lost any more.
   */
  lose(clientName: string, isLost: ((subject: string) => boolean) | undefined): void;
}

type Rule = { clientName: string; isLost: (subject: string) => boolean } | undefined;

const lineEnd = Buffer.from('\r\n');

export async function openLossyBus(natsUrl: string): Promise<LossyBus> {
  const { hostname, port } = new URL(natsUrl);
  const state: { rule: Rule; lost: number } = { rule: undefined, lost: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let clientName = '';
    client.on('data', (data) => {
      // The client names itself in its CONNECT line, which is the first that it sends.
      clientName ||= /"name":"([^"]*)"/.exec(data.toString('latin1'))?.[1] ?? '';
      upstream.write(data);
    });
    const filter = new MessageFilter((subject) => {
      const isLost = state.rule?.clientName === clientName && state.rule.isLost(subject);
      if (isLost) state.lost += 1;
      return !isLost;
    });
    upstream.on('data', (data) => client.write(filter.pass(data)));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on('error', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    natsUrl: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => state.lost,
    lose(clientName, isLost) {
      state.rule = isLost && { clientName, isLost };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Reads what a NATS server sends (https://docs.nats.io/reference/reference-protocols/nats-protocol) and drops messages. */
class MessageFilter {
  readonly #keeps: (subject: string) => boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor(keeps: (subject: string) => boolean) {
    this.#keeps = keeps;
  }

  /** What goes on of all that has come so far; the beginning of something waits for its end. */
  pass(data: Buffer): Buffer {
    const kept: Buffer[] = [];
    let buffer = Buffer.concat([this.#rest, data]);
    for (;;) {
      const end = buffer.indexOf(lineEnd);
      if (end === -1) break;
      const [verb = '', subject = '', ...others] = buffer.toString('latin1', 0, end).split(' ');
      const isMessage = verb === 'MSG' || verb === 'HMSG';
      const length = end + lineEnd.length + (isMessage ? Number(others.at(-1)) + lineEnd.length : 0);
      if (buffer.length < length) break;
      if (!isMessage || this.#keeps(subject)) kept.push(buffer.subarray(0, length));
      buffer = buffer.subarray(length);
    }
    this.#rest = buffer;
    return Buffer.concat(kept);
  }
}
