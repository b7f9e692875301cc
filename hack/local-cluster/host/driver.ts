import { mkdir } from 'node:fs/promises';
import { withLock } from '../binaries/lock.ts';
import type { Driver } from '../driver.ts';
import { down } from './down.ts';
import { loadImage } from './load.ts';
import { directories, files } from './settings.ts';
import { status } from './status.ts';
import { up } from './up.ts';

/** Two that bring up the same cluster at once would start everything twice. */
async function exclusively(work: () => Promise<void>): Promise<void> {
  await mkdir(directories.root, { recursive: true });
  await withLock(files.lock, work);
}

/** Control plane and node as processes of this machine: no image is pulled and no virtual machine started. */
export const hostDriver: Driver = {
  up: (log) => exclusively(() => up(log)),
  down: (log) => exclusively(() => down(log)),
  load: (image, log) => exclusively(() => loadImage(image, log)),
  status,
};
