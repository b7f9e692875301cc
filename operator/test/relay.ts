import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay whose connections a test can break in every way a network does. */
export interface Relay {
  readonly port: number;
  /** Connections accepted since the start. */
  accepted(): number;
  /** Connections reset on arrival since the start. */
  refused(): number;
  /** RST, at once, wherever the bytes are. */
  resetAll(): void;
  /** Half-open: the connections of this moment stay, and nothing passes them any more. New ones work. */
  freezeAll(): void;
  /** While on, new connections are reset: a server that is restarting. */
  refuse(on: boolean): void;
  /** Resets every connection and stops listening, so that new ones are refused; the result listens again. */
  closePort(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export async function openRelay(targetPort: number): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let accepted = 0;
  let refused = 0;
  let refusing = false;
  const server = createServer((near) => {
    near.setNoDelay(true).on('error', () => {});
    if (refusing) {
      refused += 1;
      near.resetAndDestroy();
      return;
    }
    accepted += 1;
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true }).on('error', () =>
      near.resetAndDestroy(),
    );
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far).pipe(near);
    near.on('close', () => {
      pairs.delete(pair);
      far.destroy();
    });
    far.on('close', () => near.destroy());
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const resetAll = (): void => {
    for (const [near] of pairs) near.resetAndDestroy();
  };
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      resetAll();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    accepted: () => accepted,
    refused: () => refused,
    resetAll,
    freezeAll: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    refuse: (on) => {
      refusing = on;
    },
    closePort: async () => {
      await close();
      return () => listen(port);
    },
    close,
  };
}
