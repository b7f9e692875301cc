import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../binaries/cached.ts';
import { ensurePackages } from '../binaries/debian.ts';
import { run } from '../command.ts';
import { contentKeyOf } from '../contentKey.ts';
import { cacheDirectory, repositoryRoot } from '../paths.ts';
import { heartbeat, type Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';

const SAMPLE = join(repositoryRoot, 'config', 'samples', 'pytorch');
const REQUIREMENTS = join(SAMPLE, 'requirements.txt');
const CPU_TORCH = join(import.meta.dirname, 'cpuTorch.py');

/** Of Debian bookworm, which the images are made from; wheels for it run in a venv of the same version only. */
const PYTHON = '3.11';

/** The wheel of torch for this platform whatever Python fetches it. */
const PLATFORM = ['--only-binary=:all:', '--python-version', PYTHON];
const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const FOR_LINUX = ['manylinux_2_28', 'manylinux_2_17', 'manylinux2014'].flatMap((tag) => [
  '--platform',
  `${tag}_${MACHINE}`,
]);

const pip = (args: readonly string[]): Promise<string> =>
  run('python3', ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...args]);

/** torch as the sample pins it, without what only a GPU needs; for arm64 the wheel of the index is that already. */
async function addTorch(folder: string): Promise<void> {
  await inTemporaryFolder(async (fetched) => {
    await pip([...PLATFORM, ...FOR_LINUX, '--no-deps', '--constraint', REQUIREMENTS, '--dest', fetched, 'torch']);
    const [wheel = ''] = await readdir(fetched);
    if (process.arch === 'x64') await run('python3', [CPU_TORCH, join(fetched, wheel), folder]);
    else await run('cp', [join(fetched, wheel), folder]);
  });
}

/** Changes when what is in the folder of wheels would. */
export const wheelsKey = (): Promise<string> => contentKeyOf([REQUIREMENTS, CPU_TORCH], [PYTHON, process.arch]);

/** A folder of wheels from which the sample's requirements install without a package index, kept by their content. */
export async function ensureWheels(log: Log): Promise<string> {
  return cached(join(cacheDirectory(), `pytorch-wheels-${await wheelsKey()}`), async (target) => {
    await ensurePackages(['python3-pip', 'gcc', 'binutils'], log);
    log('fetching torch for CPU (540 MB) and what the PyTorch sample needs beside it');
    const stop = heartbeat(log, 'fetching torch');
    try {
      await mkdir(target, { recursive: true });
      await addTorch(target);
      await pip([...PLATFORM, ...FOR_LINUX, '--find-links', target, '--dest', target, '-r', REQUIREMENTS]);
    } finally {
      stop();
    }
  });
}

/**
 * A virtual environment with the sample's requirements, and with those of another file if one is named; returns its bin
 * folder. Kept by its content. Its programs are run as `python -m`.
 */
export async function ensureTorchEnvironment(log: Log, more?: string): Promise<string> {
  const wheels = await ensureWheels(log);
  const files = [REQUIREMENTS, ...(more === undefined ? [] : [more])];
  const key = await contentKeyOf([...files, CPU_TORCH], ['venv']);
  const folder = await cached(join(cacheDirectory(), `pytorch-venv-${key}`), async (target) => {
    await ensurePackages(['python3-venv'], log);
    log('installing torch for the tests');
    await run('python3', ['-m', 'venv', target]);
    const install = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-compile',
      '--find-links',
      wheels,
    ];
    const offline = more === undefined ? ['--no-index'] : [];
    await run(join(target, 'bin', 'python'), [...install, ...offline, ...files.flatMap((file) => ['-r', file])]);
  });
  return join(folder, 'bin');
}
