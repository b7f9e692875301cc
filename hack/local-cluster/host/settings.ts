import { join } from 'node:path';
import { clusterDirectory } from '../paths.ts';

/** Addresses of the cluster. The API server listens on the node's bridge, so no port of the machine is taken. */
export const network = {
  bridge: 'slipway-node',
  nodeAddress: '10.88.0.1',
  nodeRange: '10.88.0.0/24',
  podRange: '10.244.0.0/16',
  serviceRange: '10.96.0.0/16',
  apiServiceAddress: '10.96.0.1',
  dnsAddress: '10.96.0.10',
} as const;

export const node = {
  name: 'slipway-node',
  acceleratorResource: 'nvidia.com/gpu',
  acceleratorCount: 4,
  acceleratorProduct: 'NVIDIA-H100-80GB-HBM3',
} as const;

export const apiPort = 6443;
export const apiUrl = `https://${network.nodeAddress}:${apiPort}`;

/** The CNI network of the pods. */
export const podNetworkName = 'slipway';

const inside = (...parts: string[]): string => join(clusterDirectory, ...parts);

/** Everything that runs keeps its files below `.cluster`. */
export const directories = {
  root: clusterDirectory,
  pki: inside('pki'),
  logs: inside('logs'),
  processes: inside('pids'),
  etcd: inside('etcd'),
  kubelet: inside('kubelet'),
  containerd: inside('containerd'),
  cni: inside('cni'),
  volumes: inside('volumes'),
  loaded: inside('containerd', 'loaded'),
} as const;

export const files = {
  kubeconfig: inside('kubeconfig'),
  /** Short on purpose: a socket's path may have 107 characters. */
  containerdSocket: inside('containerd', 'c.sock'),
  kubeletConfig: inside('kubelet.yaml'),
  containerdConfig: inside('containerd.toml'),
  resolvConf: inside('resolv.conf'),
  etcdUrl: inside('etcd-url'),
  /** Held while the cluster is brought up or down. */
  lock: inside('lock'),
  sysctls: inside('sysctls.json'),
} as const;

/** Below the root of every cgroup hierarchy: apart from a kubelet the machine may run itself. */
export const cgroupRoot = 'slipway';
