import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { run, succeeds } from '../command.ts';
import type { Log } from '../progress.ts';
import { installedAt } from './installed.ts';
import { withLock } from './lock.ts';

/**
 * The packages we use, and the program or file that each is wanted for. Whoever put it there, the package is not needed
 * then: to install Debian's containerd beside the containerd.io of Docker would remove Docker.
 */
const WANTED_FOR = {
  'etcd-server': 'etcd',
  containerd: 'containerd',
  runc: 'runc',
  'containernetworking-plugins': '/usr/lib/cni/ptp',
  iptables: 'iptables',
  conntrack: 'conntrack',
  iproute2: 'ip',
  kmod: 'modprobe',
  'util-linux': 'setpriv',
  buildah: 'buildah',
  mmdebstrap: 'mmdebstrap',
  'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
  prometheus: 'prometheus',
  'docker.io': 'dockerd',
  'docker-registry': 'docker-registry',
  'python3-pip': '/usr/lib/python3/dist-packages/pip',
  'python3-venv': '/usr/share/doc/python3-venv',
  gcc: 'gcc',
  binutils: 'readelf',
} as const satisfies Record<string, string>;

export type DebianPackage = keyof typeof WANTED_FOR;

const isThere = (name: DebianPackage): boolean =>
  WANTED_FOR[name].startsWith('/') ? existsSync(WANTED_FOR[name]) : installedAt(WANTED_FOR[name]) !== undefined;

const environment = {
  DEBIAN_FRONTEND: 'noninteractive',
  // Without these, needrestart (where present) may ask questions or restart services of the host.
  NEEDRESTART_SUSPEND: '1',
  NEEDRESTART_MODE: 'l',
};

/** Packages of the list whose program is not there. */
export const missingPackages = (names: readonly DebianPackage[]): DebianPackage[] =>
  names.filter((name) => !isThere(name));

/** Installs what is missing of the Debian packages. None of their services is started. */
export async function ensurePackages(names: readonly DebianPackage[], log: Log): Promise<void> {
  const needed = missingPackages(names);
  if (needed.length === 0) return;
  if (process.getuid?.() !== 0 || !(await succeeds('apt-get', ['--version']))) {
    throw new Error(
      `Missing programs: install the packages ${needed.join(', ')}, or run this as root on Debian or Ubuntu.`,
    );
  }
  await withLock('/run/lock/slipway-apt.lock', () => withoutServices(() => install(names, log)));
}

async function install(names: readonly DebianPackage[], log: Log): Promise<void> {
  const missing = missingPackages(names);
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
