import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { ToWatcher, WatcherStart } from './messages.ts';
import { Watcher } from './watcher.ts';

/** The module that the watcher thread starts from. */
if (parentPort) {
  const port = parentPort;
  yieldToRequests();
  const say = (message: unknown) => port.postMessage(message);
  const now = () => performance.now();
  const watcher = new Watcher(workerData as WatcherStart, { now, random: Math.random, say });
  port.on('message', (message: ToWatcher) => {
    if (message.kind === 'close') void watcher.close().then(() => port.close());
    else watcher.hear(message);
  });
}

/**
 * On Linux a priority belongs to a thread. The last one goes to this: nobody waits for what it does, and where the
 * CPU is short it must not be taken from live requests. Elsewhere a number of no process would be asked for: left alone.
 */
function yieldToRequests(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), 19);
  } catch {
    // A sandbox that forbids it runs this thread like the others.
  }
}
