import { NatsConnectionImpl, setTransportFactory } from '@nats-io/transport-node';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { nodeResolveHost, NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';

/** Most pieces that wait for one write: a turn that takes long keeps nobody waiting for its end. */
const maxHeld = 32;

/**
 * The library's transport, but what is sent in one turn of the event loop goes out in one write. The library writes
 * once per microtask, and a write costs more than making and sending what is in it.
 */
class TurnTransport extends NodeTransport {
  #held = 0;

  override send(frame: Uint8Array): void {
    if (this.#held === 0) {
      this.socket.cork();
      setImmediate(() => {
        this.#release();
      });
    }
    super.send(frame);
    this.#held += 1;
    if (this.#held >= maxHeld) this.#release();
  }

  override close(error?: Error): Promise<void> {
    this.#release();
    return super.close(error);
  }

  #release(): void {
    if (this.#held === 0) return;
    this.#held = 0;
    this.socket.uncork();
  }
}

/** As the library's `connect`, over a transport that writes once per turn. */
export function connect(options: NodeConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new TurnTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}
