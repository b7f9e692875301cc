import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from '../command.ts';
import type { Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';
import { ensurePackages } from './debian.ts';

const python = (...args: string[]): Promise<string> => run('python3', ['-m', ...args]);

/**
 * Fetches the one package that a requirements file pins by hash, and runs `work` with the folder its wheel is unpacked
 * into. Unpacked files have lost their mode. Throws where there is no pip, or no wheel for this machine.
 */
export async function withWheel(
  requirements: string,
  log: Log,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  if (!(await succeeds('python3', ['-m', 'pip', '--version']))) await ensurePackages(['python3-pip'], log);
  await inTemporaryFolder(async (folder) => {
    await python('pip', 'download', '--quiet', '--no-deps', '--require-hashes', '-r', requirements, '-d', folder);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error(`pip found no wheel for this machine (${process.arch}): ${requirements}`);
    await python('zipfile', '-e', join(folder, wheel), folder);
    await work(folder);
  });
}
