import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A line between somebody and a server of this machine that can be cut, slowed down and held. */
export class Proxy implements AsyncDisposable {
  readonly #target: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #line: Line = { delayMs: 0, held: undefined };
  #release: (() => void) | undefined;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (near) => {
      this.#connect(near);
    });
  }

  /** Listens on a free port of its own and passes on to the port of this machine, where nobody has to listen yet. */
  static async open(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Breaks connections without a word; answers how many. New ones can be made at once. */
  cut(isCut: () => boolean): number {
    const cut = [...this.#links].filter(isCut);
    for (const link of cut) link.break();
    return cut.length;
  }

  /** Every piece of every connection takes so long from now on, in ms, each way. */
  slow(delayMs: number): void {
    this.#line.delayMs = delayMs;
  }

  /** From now on nothing passes, and no connection breaks: what is sent waits for {@link heal}. */
  hold(): void {
    this.#line.held ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  /** Ends slowness and holding. */
  heal(): void {
    this.#line.delayMs = 0;
    this.#line.held = undefined;
    this.#release?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.cut(() => true);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(near: Socket): void {
    const far = new Socket({ allowHalfOpen: true });
    const link = new Link(near, far, this.#line);
    this.#links.add(link);
    near.once('close', () => this.#links.delete(link));
    far.connect(this.#target, '127.0.0.1');
  }
}

/** What is done to everything that passes. */
interface Line {
  delayMs: number;
  /** Until it resolves nothing passes. */
  held: Promise<void> | undefined;
}

/** One connection through the proxy: both its halves, which end together. */
class Link {
  readonly #near: Socket;
  readonly #far: Socket;

  constructor(near: Socket, far: Socket, line: Line) {
    this.#near = near;
    this.#far = far;
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {
        this.break();
      });
      socket.once('close', () => {
        this.#endBoth();
      });
    }
    void carry(near, far, line);
    void carry(far, near, line);
  }

  break(): void {
    for (const socket of [this.#near, this.#far]) {
      // Reset after its end, a socket of Node stays open for ever and keeps the process from ending.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** What is written already still goes out: a close frame comes before the end. */
  #endBoth(): void {
    for (const socket of [this.#near, this.#far]) if (!socket.destroyed) socket.destroySoon();
  }
}

/** Passes on what comes, at the pace of who takes it. */
async function carry(from: Socket, to: Socket, line: Line): Promise<void> {
  try {
    for await (const piece of from as AsyncIterable<Buffer>) {
      if (line.delayMs > 0) await delay(line.delayMs);
      while (line.held) await line.held;
      if (to.destroyed) return;
      if (!to.write(piece)) await drained(to);
    }
    to.end();
  } catch {
    // The link was broken; its sockets' own listeners end the other half.
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
