import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installedAt } from '../binaries/installed.ts';
import { run } from '../command.ts';
import { systemImage } from '../images/system.ts';
import { until } from '../until.ts';
import { gone, startDaemon } from './processes.ts';
import { directories, files, network, podNetworkName } from './settings.ts';

/** containerd's snapshots are overlay mounts, and an overlay can't lie on another (a checkout inside a container). */
const snapshotter = async (): Promise<string> =>
  (await run('stat', ['-f', '-c', '%T', directories.root])) === 'overlayfs' ? 'native' : 'overlayfs';

const config = async (): Promise<string> => `version = 2
root = "${directories.containerd}/root"
state = "${directories.containerd}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "${files.containerdSocket}"
[plugins."io.containerd.internal.v1.opt"]
path = "${directories.containerd}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${systemImage('pause')}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "${await snapshotter()}"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${directories.cni}"
`;

/**
 * Each pod gets a routed veth pair. Without a shared bridge every packet between pods passes the machine's own routing,
 * so service addresses work also where the kernel does not show bridged packets to iptables.
 */
const podNetwork = {
  cniVersion: '0.4.0',
  name: podNetworkName,
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      mtu: 1500,
      ipam: {
        type: 'host-local',
        dataDir: join(directories.cni, 'leases'),
        ranges: [[{ subnet: network.podRange.replace('/16', '/24') }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
  ],
};

/**
 * Images are imported, never pulled. A pull of one that is missing must fail here and at once: without this it would
 * ask the machine's name server for the registry and follow the default route out.
 */
const nobody = 'http://127.0.0.1:9';
const offline = {
  HTTP_PROXY: nobody,
  HTTPS_PROXY: nobody,
  http_proxy: nobody,
  https_proxy: nobody,
  NO_PROXY: '',
  no_proxy: '',
};

export const ctr = (...args: string[]): Promise<string> =>
  run('ctr', ['--address', files.containerdSocket, '--namespace', 'k8s.io', ...args]);

/** Starts containerd unless it runs, and waits until it answers. */
export async function raiseContainerd(): Promise<void> {
  await Promise.all([directories.containerd, directories.cni].map((path) => mkdir(path, { recursive: true })));
  await writeFile(files.containerdConfig, await config());
  await writeFile(join(directories.cni, '10-slipway.conflist'), JSON.stringify(podNetwork, null, 2));
  const command = installedAt('containerd') ?? 'containerd';
  await startDaemon({ name: 'containerd', command, args: ['--config', files.containerdConfig], environment: offline });
  await until(() => ctr('version'), {
    what: 'waiting for containerd',
    timeoutMs: 30_000,
    hopeless: () => gone('containerd'),
  });
}
