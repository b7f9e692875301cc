import { mkdir, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { findBinary } from '../binaries/find.ts';
import type { Log } from '../progress.ts';
import { until } from '../until.ts';
import { kubeconfigOf, pkiFile } from './certificates.ts';
import { ensureCgroupRoot, unified } from './cgroups.ts';
import { kubectl } from './kubectl.ts';
import { startDaemon } from './processes.ts';
import { cgroupRoot, directories, files, network, node } from './settings.ts';

const configuration = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: network.nodeAddress,
  healthzPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: pkiFile('ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: pkiFile('kubelet.crt'),
  tlsPrivateKeyFile: pkiFile('kubelet.key'),
  containerRuntimeEndpoint: `unix://${files.containerdSocket}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${cgroupRoot}`,
  // Known only where it means something: kubelets are losing version 1 and, some day, this field.
  ...(unified ? {} : { failCgroupV1: false }),
  failSwapOn: false,
  clusterDNS: [network.dnsAddress],
  clusterDomain: 'cluster.local',
  resolvConf: files.resolvConf,
  podLogsDir: `${directories.root}/pod-logs`,
  volumePluginDir: `${directories.kubelet}/volume-plugins`,
  // Images are imported by hand and can't be pulled again: never collect them, and do not evict on a full disk early.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  evictionHard: {
    'memory.available': '50Mi',
    'nodefs.available': '1%',
    'imagefs.available': '1%',
    'nodefs.inodesFree': '1%',
  },
  serializeImagePulls: false,
  nodeStatusUpdateFrequency: '4s',
  shutdownGracePeriod: '0s',
};

async function startKubelet(log: Log): Promise<void> {
  await mkdir(directories.kubelet, { recursive: true });
  await writeFile(files.kubeletConfig, stringify(configuration));
  // Pods ask CoreDNS and nobody else: without a name server here it has nothing to inherit from the machine.
  await writeFile(files.resolvConf, '');
  await startDaemon({
    name: 'kubelet',
    command: await findBinary('kubelet', log),
    args: [
      `--config=${files.kubeletConfig}`,
      `--kubeconfig=${kubeconfigOf('kubelet')}`,
      `--root-dir=${directories.kubelet}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${network.nodeAddress}`,
      `--node-labels=${node.acceleratorResource}.product=${node.acceleratorProduct}`,
    ],
  });
}

async function startKubeProxy(log: Log): Promise<void> {
  await startDaemon({
    name: 'kube-proxy',
    command: await findBinary('kube-proxy', log),
    args: [
      `--kubeconfig=${kubeconfigOf('kube-proxy')}`,
      `--hostname-override=${node.name}`,
      '--proxy-mode=iptables',
      `--cluster-cidr=${network.podRange}`,
      '--conntrack-max-per-core=0',
      `--bind-address=${network.nodeAddress}`,
      `--healthz-bind-address=${network.nodeAddress}:10256`,
      `--metrics-bind-address=${network.nodeAddress}:10249`,
      '--nodeport-addresses=primary',
    ],
  });
}

/**
 * Accelerators that are not there: the scheduler places pods by them as it would by real ones. No device plugin
 * reports them, so the kubelet lets a container that asks for one start as it is.
 */
export async function pretendAccelerators(): Promise<void> {
  const { acceleratorResource: resource, acceleratorCount } = node;
  const amounts = { [resource]: String(acceleratorCount) };
  const patch = JSON.stringify({ status: { capacity: amounts, allocatable: amounts } });
  await kubectl('patch', 'node', node.name, '--subresource=status', '--type=merge', '-p', patch);
}

/** Starts kubelet and kube-proxy and waits until the node is ready and shows its accelerators. */
export async function raiseNode(log: Log): Promise<void> {
  await ensureCgroupRoot();
  await startKubelet(log);
  await startKubeProxy(log);
  const registered = () => kubectl('get', 'node', node.name, '-o', 'name');
  await until(registered, { what: 'waiting for the node to register', timeoutMs: 60_000 });
  await pretendAccelerators();
  await kubectl('wait', `node/${node.name}`, '--for=condition=Ready', '--timeout=60s');
}
