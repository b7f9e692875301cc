import { contentKey } from '../contentKey.ts';
import type { Log } from '../progress.ts';
import { debianImage, SUITE } from './base.ts';

/** The twin of the public Python image: Debian's Python with pip. */
const PACKAGES = ['python3', 'python3-pip', 'libstdc++6', 'libgomp1', 'usr-is-merged'];

export const pythonBase = `slipway.dev/python:${contentKey([SUITE, ...PACKAGES, process.arch])}`;

export const ensurePythonBase = (log: Log): Promise<string> =>
  debianImage({ image: pythonBase, packages: PACKAGES, lock: 'python-base.lock' }, log);
