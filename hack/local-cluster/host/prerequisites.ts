import { existsSync } from 'node:fs';
import { ensurePackages, missingPackages } from '../binaries/debian.ts';
import { goCommand } from '../binaries/goBuild.ts';
import { succeeds } from '../command.ts';
import type { Log } from '../progress.ts';
import { haveCgroups } from './cgroups.ts';
import { bridgeOwner } from './network.ts';
import { directories, files } from './settings.ts';

/** What the node consists of, and what builds images. etcd is the cluster's store. */
const PACKAGES = [
  'etcd-server',
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iptables',
  'conntrack',
  'iproute2',
  'kmod',
  'util-linux',
  'buildah',
  'mmdebstrap',
  'debian-archive-keyring',
];

/** A socket address holds 107 characters. */
const SOCKET_PATH_LIMIT = 107;

const obstacles: readonly { readonly when: () => Promise<boolean>; readonly say: () => string }[] = [
  {
    when: async () => process.platform !== 'linux',
    say: () => 'The host driver needs Linux: install Docker and set SLIPWAY_CLUSTER_DRIVER=kind.',
  },
  {
    when: async () => process.getuid?.() !== 0,
    say: () =>
      'The local cluster runs containers on this machine and must be started by root: use sudo, or install Docker and set SLIPWAY_CLUSTER_DRIVER=kind.',
  },
  {
    when: async () => (await missingPackages(PACKAGES)).length > 0 && !(await succeeds('apt-get', ['--version'])),
    say: () =>
      'The local cluster takes containerd and etcd from Debian or Ubuntu packages, and apt-get is not here: install Docker and set SLIPWAY_CLUSTER_DRIVER=kind.',
  },
  {
    when: async () => !(await haveCgroups()),
    say: () =>
      'No cgroup hierarchy is mounted at /sys/fs/cgroup, so no container can run: mount it, or run this on a machine or in a privileged container that has it.',
  },
  {
    when: async () => files.containerdSocket.length > SOCKET_PATH_LIMIT,
    say: () =>
      `The checkout lies too deep (${directories.root}) for a socket's path: move it to a path that is shorter by ${files.containerdSocket.length - SOCKET_PATH_LIMIT} characters.`,
  },
];

/** Throws the first reason why a cluster can't run here, in one sentence, before anything is changed. */
export async function checkPrerequisites(): Promise<void> {
  for (const { when, say } of obstacles) if (await when()) throw new Error(say());
  goCommand();
  const owner = await bridgeOwner();
  if (owner !== undefined && owner !== directories.root && existsSync(owner)) {
    throw new Error(
      `Another checkout's cluster is up (${owner}), and one machine holds one: run \`hack/cluster down\` there first.`,
    );
  }
}

export const installPackages = (log: Log): Promise<void> => ensurePackages(PACKAGES, log);
