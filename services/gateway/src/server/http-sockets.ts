import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { rateLimited } from '../metrics.ts';
import { AddressCounts } from './address-counts.ts';
import { networkOf } from './client-address.ts';

/**
 * Bounds how many sockets one address has open for HTTP: idle ones, those whose request does not end, and those that ask for
 * an upgrade. One too many is cut off before it has said anything.
 */
export class HttpSockets {
  readonly #maxPerAddress: number;
  readonly #perAddress = new AddressCounts();
  readonly #addresses = new Map<Duplex, string>();
  readonly #release: (this: Socket) => void;

  constructor(server: Server, maxPerAddress: number) {
    this.#maxPerAddress = maxPerAddress;
    const release = this.release.bind(this);
    this.#release = function () {
      release(this);
    };
    server.on('connection', (socket: Socket) => {
      this.#take(socket);
    });
  }

  #take(socket: Socket): void {
    const { remoteAddress = '' } = socket;
    const address = networkOf(remoteAddress) ?? remoteAddress;
    if (this.#perAddress.of(address) >= this.#maxPerAddress) {
      rateLimited.inc();
      socket.destroy();
      return;
    }
    this.#perAddress.add(address);
    this.#addresses.set(socket, address);
    socket.on('close', this.#release);
  }

  /** The socket is gone, or speaks something else now. */
  release(socket: Duplex): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) return;
    this.#addresses.delete(socket);
    this.#perAddress.remove(address);
    socket.off('close', this.#release);
  }
}
