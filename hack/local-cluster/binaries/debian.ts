import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { run, succeeds } from '../command.ts';
import type { Log } from '../progress.ts';
import { withLock } from './lock.ts';

const installs = (name: string): Promise<boolean> =>
  run('dpkg-query', ['--status', name]).then(
    (status) => status.includes('\nStatus: install ok installed\n'),
    () => false,
  );

const environment = {
  DEBIAN_FRONTEND: 'noninteractive',
  // Without these, needrestart (where present) may ask questions or restart services of the host.
  NEEDRESTART_SUSPEND: '1',
  NEEDRESTART_MODE: 'l',
};

/** Packages of the list that are not installed. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const there = await Promise.all(names.map(installs));
  return names.filter((_, index) => !there[index]);
}

/** Installs what is missing of the Debian packages. None of their services is started. */
export async function ensurePackages(names: readonly string[], log: Log): Promise<void> {
  if ((await missingPackages(names)).length === 0) return;
  if (process.getuid?.() !== 0 || !(await succeeds('apt-get', ['--version']))) {
    throw new Error(
      `These programs are needed: ${names.join(', ')}. Install them, or run this as root on Debian or Ubuntu.`,
    );
  }
  await withLock('/run/lock/slipway-apt.lock', () => withoutServices(() => install(names, log)));
}

async function install(names: readonly string[], log: Log): Promise<void> {
  const missing = await missingPackages(names);
  if (missing.length === 0) return;
  log(`installing Debian packages: ${missing.join(' ')}`);
  const command = ['install', '-y', '--no-install-recommends', ...missing];
  if (
    await run('apt-get', command, { environment }).then(
      () => true,
      () => false,
    )
  )
    return;
  // A list that is older than the mirror names versions that are gone, and a fresh machine has no list.
  await run('apt-get', ['update'], { environment });
  await run('apt-get', command, { environment });
}

/** Debian starts a package's service as it installs it, unless policy-rc.d forbids it. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return work();
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    await rm(policy, { force: true });
  }
}
