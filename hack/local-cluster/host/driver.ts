import type { Driver } from '../driver.ts';
import { down } from './down.ts';
import { loadImage } from './load.ts';
import { status } from './status.ts';
import { up } from './up.ts';

/** Control plane and node as processes of this machine: no image is pulled and no virtual machine started. */
export const hostDriver: Driver = { up, down, status, load: loadImage };
