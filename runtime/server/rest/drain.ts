import type { Server } from 'node:http';

/** How a port leaves. Times are milliseconds. */
export interface Leaving {
  /** How long requests are still taken, until every proxy has heard that the pod is going. */
  readonly drainMs: number;
  /** How long, after that, answers under way are waited for. */
  readonly patienceMs: number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Leaves without dropping a request. The phase must be Draining already, so that each answer asks for its connection to
 * be closed; the port is open for `drainMs` all the same, because a server that closes first refuses what proxies send
 * until they have heard. Then nothing new is taken and what is under way is finished.
 */
export async function drain(server: Server, { drainMs, patienceMs, pause }: Leaving): Promise<void> {
  await pause(drainMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const late = pause(patienceMs).then(() => server.closeAllConnections());
  await Promise.race([closed, late]);
}
