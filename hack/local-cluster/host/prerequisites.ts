import { existsSync } from 'node:fs';
import { type DebianPackage, ensurePackages, missingPackages } from '../binaries/debian.ts';
import { run, succeeds } from '../command.ts';
import type { Log } from '../progress.ts';
import { haveCgroups } from './cgroups.ts';
import { bridgeOwner } from './network.ts';
import { takenRange } from './routes.ts';
import { directories, files } from './settings.ts';

const IMAGE_PACKAGES: readonly DebianPackage[] = ['buildah', 'mmdebstrap', 'debian-archive-keyring'];

/** What the node consists of, and what builds images. etcd is the cluster's store. */
const PACKAGES: readonly DebianPackage[] = [
  'etcd-server',
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iptables',
  'conntrack',
  'iproute2',
  'kmod',
  'util-linux',
  ...IMAGE_PACKAGES,
];

/** A socket address holds 107 characters. */
const SOCKET_PATH_LIMIT = 107;

interface Obstacle {
  readonly when: () => Promise<boolean>;
  readonly say: () => string;
}

/** What stands in the way of building images here, and of the cluster. */
const common: readonly Obstacle[] = [
  {
    when: async () => process.platform !== 'linux',
    say: () => 'The host driver needs Linux: install Docker and kind, and set SLIPWAY_CLUSTER_DRIVER=kind.',
  },
  {
    when: async () => process.getuid?.() !== 0,
    say: () =>
      'The local cluster runs containers on this machine and must be started by root: use sudo, or install Docker and kind, and set SLIPWAY_CLUSTER_DRIVER=kind.',
  },
  {
    when: async () => missingPackages(PACKAGES).length > 0 && !(await succeeds('apt-get', ['--version'])),
    say: () =>
      'The local cluster takes containerd and etcd from Debian or Ubuntu packages, and apt-get is not here: install Docker and kind, and set SLIPWAY_CLUSTER_DRIVER=kind.',
  },
];

const obstacles: readonly Obstacle[] = [
  ...common,
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

async function refuse(reasons: readonly Obstacle[]): Promise<void> {
  for (const { when, say } of reasons) if (await when()) throw new Error(say());
}

/** Throws the first reason why a cluster can't run here, in one sentence, before anything is changed. */
export async function checkPrerequisites(): Promise<void> {
  await refuse(obstacles);
  const owner = await bridgeOwner();
  if (owner !== undefined && owner !== directories.root && existsSync(owner)) {
    throw new Error(
      `Another checkout's cluster is up (${owner}), and one machine holds one: run \`hack/cluster down\` there first.`,
    );
  }
  if (owner === undefined) {
    const taken = takenRange(await run('ip', ['-4', 'route', 'show']).catch(() => ''));
    if (taken)
      throw new Error(
        `The cluster's addresses ${taken.range} are in use on this machine (${taken.route}): end that first.`,
      );
  }
}

/** The same for building images, with what that needs installed. */
export async function prepareImageBuilds(log: Log): Promise<void> {
  await refuse(common);
  await ensurePackages(IMAGE_PACKAGES, log);
}

export const installPackages = (log: Log): Promise<void> => ensurePackages(PACKAGES, log);
