import { parentPort } from 'node:worker_threads';
import type { ToWatcher } from '../thread/messages.ts';

/** The watcher thread, but that it dies of the request "die". */
parentPort?.on('message', (message: ToWatcher) => {
  if (message.kind === 'parcels' && message.parcels.some(({ id }) => id === 'die')) throw new Error('killed by a test');
});
await import('../thread/entry.ts');
