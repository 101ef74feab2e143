/** What all peers' programs share: they tell their port to who started them, and end with it. */
import type { Server } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';

/** Listens on a free loopback port and tells it. */
export function listen(server: Server | TcpServer): void {
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.send!({ port });
  });
  process.once('disconnect', () => process.exit());
  // Ctrl-C reaches the whole terminal; whoever started us ends us.
  process.on('SIGINT', () => {});
}
