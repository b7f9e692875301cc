import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that listens. */
export interface Listening {
  readonly port: number;
  /** Ends its connections too: one that a client keeps open would hold the operator up for minutes. */
  close(): Promise<void>;
}

/** Listens on `port` of all addresses; 0: any free port. Rejects where the port is taken or may not be used. */
export async function listening(server: Server, port: number): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
