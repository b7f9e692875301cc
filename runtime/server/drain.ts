import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lifecycle } from './lifecycle.ts';

/**
 * Leaves without dropping a request: unready at once, then serve for `drainMs` as before, asking each connection to
 * close with its answer; then stop listening and wait for what is still running. The order matters: a server that
 * closes first refuses what proxies send until they have heard that the endpoint is gone.
 */
export async function drain(lifecycle: Lifecycle, server: Server, drainMs: number): Promise<void> {
  lifecycle.drain();
  await pause(drainMs);
  await new Promise<void>((closed) => server.close(() => closed()));
}
