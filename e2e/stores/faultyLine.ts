import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to a server that can be cut. */
export interface FaultyLine {
  readonly port: number;
  /** Bytes that came down and went up so far. */
  readonly down: () => number;
  readonly up: () => number;
  /** Cuts each connection after so many bytes down, so many times. */
  cutDown(afterBytes: number, times: number): void;
  /** Refuses everybody, and cuts who is connected. */
  fail(): void;
  heal(): void;
  close(): Promise<void>;
}

/** A line to host:port on a port of its own. */
export async function faultyLine(host: string, port: number): Promise<FaultyLine> {
  const sockets = new Set<Socket>();
  const state = { down: 0, up: 0, after: Number.POSITIVE_INFINITY, times: 0, isDown: false };
  const server = createServer((caller) => {
    if (state.isDown) {
      caller.destroy();
      return;
    }
    const far = connect(port, host);
    let passed = 0;
    const end = () => {
      caller.destroy();
      far.destroy();
    };
    for (const socket of [caller, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    caller.on('data', (chunk) => {
      state.up += chunk.length;
      far.write(chunk);
    });
    caller.on('drain', () => far.resume());
    far.on('data', (chunk) => {
      state.down += chunk.length;
      passed += chunk.length;
      if (!caller.write(chunk)) far.pause();
      if (passed < state.after || state.times === 0) return;
      state.times -= 1;
      end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    down: () => state.down,
    up: () => state.up,
    cutDown(after, times) {
      Object.assign(state, { after, times });
    },
    fail() {
      state.isDown = true;
      for (const socket of sockets) socket.destroy();
    },
    heal() {
      Object.assign(state, { isDown: false, times: 0 });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
