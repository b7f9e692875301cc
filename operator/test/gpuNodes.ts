import type { Node } from '../src/api/builtin.ts';
import type { ResourceClaim, ResourceSlice } from '../src/api/devices.ts';

export interface GpuNode {
  readonly name?: string;
  readonly product?: string;
  /** Label nvidia.com/gpu.memory, in MiB. */
  readonly memory?: number;
  readonly gpus?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Further resources, such as nvidia.com/mig-1g.10gb. */
  readonly resources?: Readonly<Record<string, string>>;
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly ram?: string;
  readonly unschedulable?: boolean;
}

/** A node as its kubelet, the device plugin and feature discovery leave it. */
export function gpuNode(node: GpuNode = {}): Node {
  const { name = 'n', product, memory, gpus, cpu = '64', ram = '512Gi' } = node;
  const capacity = {
    cpu,
    memory: ram,
    pods: '110',
    ...(gpus === undefined ? {} : { 'nvidia.com/gpu': String(gpus) }),
    ...node.resources,
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        ...(product === undefined ? {} : { 'nvidia.com/gpu.product': product }),
        ...(memory === undefined ? {} : { 'nvidia.com/gpu.memory': String(memory) }),
        ...node.labels,
      },
    },
    spec: {
      ...(node.taints === undefined ? {} : { taints: [...node.taints] }),
      ...(node.unschedulable === undefined ? {} : { unschedulable: node.unschedulable }),
    },
    status: { capacity, allocatable: { ...capacity, ...node.allocatable } },
  };
}

export const A100_40 = { product: 'NVIDIA-A100-SXM4-40GB', memory: 40960, gpus: 8 } as const;
export const A100_80 = { product: 'NVIDIA-A100-SXM4-80GB', memory: 81920, gpus: 8 } as const;
export const H100 = { product: 'NVIDIA-H100-80GB-HBM3', memory: 81559, gpus: 8 } as const;
/** Split in seven each, all of one kind: the single strategy counts slices as GPUs. */
export const A100_SINGLE = { product: 'NVIDIA-A100-SXM4-40GB-MIG-1g.5gb', memory: 4864, gpus: 56 } as const;
export const A100_INVALID = { product: 'NVIDIA-A100-SXM4-40GB-MIG-INVALID', memory: 0, gpus: 0 } as const;
export const H100_MIXED = {
  product: 'NVIDIA-H100-80GB-HBM3',
  memory: 81559,
  gpus: 4,
  resources: { 'nvidia.com/mig-1g.10gb': '14', 'nvidia.com/mig-3g.40gb': '4' },
  labels: { 'nvidia.com/mig-1g.10gb.memory': '9856', 'nvidia.com/mig-3g.40gb.memory': '40448' },
} as const;

export interface GpuDevice {
  readonly name: string;
  readonly productName: string;
  readonly memory: string;
  readonly type?: string;
  /** Of a slice. */
  readonly profile?: string;
}

const DRIVER = 'gpu.nvidia.com';

/** Devices of a node as a DRA driver publishes them. */
export const deviceSlice = (node: string, devices: readonly GpuDevice[]): ResourceSlice => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name: `${node}-${DRIVER}` },
  spec: {
    driver: DRIVER,
    nodeName: node,
    pool: { name: node, generation: 1, resourceSliceCount: 1 },
    devices: devices.map(({ name, productName, memory, profile, type = 'gpu' }) => ({
      name,
      attributes: {
        type: { string: type },
        productName: { string: productName },
        ...(profile === undefined ? {} : { profile: { string: profile } }),
      },
      capacity: { memory: { value: memory } },
    })),
  },
});

/** A claim that was granted devices of a node. */
export const grantedClaim = (node: string, devices: readonly string[]): ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: `of-${node}`, namespace: 'default' },
  spec: {},
  status: {
    allocation: {
      devices: { results: devices.map((device) => ({ driver: DRIVER, pool: node, device, request: 'accelerator' })) },
    },
  },
});
