import type { Accelerator, Placement, Resources } from '@slipway/crds';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  A100_40,
  A100_80,
  A100_INVALID,
  A100_SINGLE,
  deviceSlice,
  type GpuNode,
  gpuNode,
  H100,
  H100_MIXED,
} from '../../../test/gpuNodes.ts';
import { type SchedulerUnderTest, schedulerUnderTest } from '../../../test/schedulerUnderTest.ts';
import type { Pod } from '../../api/builtin.ts';
import {
  type DeviceClass,
  deviceClasses,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
} from '../../api/devices.ts';
import { explainPlacement } from '../../domain/placement/explain.ts';
import { migStrategy } from '../../domain/placement/mig.ts';
import { unschedulableMessage } from '../../domain/workload/podWait.ts';
import { containerResources, type PlacementMore, placementFields } from '../../render/placement.ts';
import { resourceClaimTemplate } from '../../render/resourceClaimTemplate.ts';
import { ClusterView } from './cluster.ts';

const INFRA = [{ key: 'dedicated', value: 'infra', effect: 'NoSchedule' }];
const GPU_TAINT = [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }];
const SPOT = {
  labels: { 'cloud.google.com/gke-spot': 'true' },
  taints: [{ key: 'cloud.google.com/gke-spot', value: 'true', effect: 'NoSchedule' }],
};

const CLIQUE = 'nvidia.com/gpu.clique';

const NODES: Readonly<Record<string, GpuNode>> = {
  'a100-40-a': A100_40,
  'a100-40-b': { ...A100_40, taints: GPU_TAINT, labels: { [CLIQUE]: 'c1', pool: 'tainted' } },
  'a100-40-c': { ...A100_40, labels: { [CLIQUE]: 'c2' } },
  'a100-80-a': A100_80,
  'a100-80-cordoned': { ...A100_80, unschedulable: true },
  'a100-80-infra': { ...A100_80, taints: INFRA },
  'h100-full': { ...H100, gpus: 2 },
  'h100-spot': { ...H100, ...SPOT },
  'h100-mixed': H100_MIXED,
  'a100-single': A100_SINGLE,
  'a100-invalid': A100_INVALID,
  'cpu-a': { cpu: '8', ram: '32Gi' },
  'dra-a100': {},
  'dra-h100': {},
  'dra-mig': {},
};

const A100 = { productName: 'NVIDIA A100-SXM4-40GB', memory: '40Gi' };
const named = <T>(n: number, device: T) => Array.from({ length: n }, (_, i) => ({ name: `device-${i}`, ...device }));
const SLICES = [
  deviceSlice('dra-a100', named(2, A100)),
  deviceSlice('dra-h100', named(2, { productName: 'NVIDIA H100 80GB HBM3', memory: '81559Mi' })),
  deviceSlice('dra-mig', named(7, { ...A100, type: 'mig', profile: '1g.5gb', memory: '4864Mi' })),
];

/** As the chart of NVIDIA's driver makes them. */
const deviceClass = (name: string, type: string): DeviceClass => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: { name },
  spec: {
    selectors: [
      {
        cel: {
          expression: `device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == '${type}'`,
        },
      },
    ],
  },
});

let cluster: SchedulerUnderTest;

interface Ask {
  readonly accelerator?: Omit<Accelerator, 'resource'> & { readonly resource?: string };
  readonly placement?: Placement;
  readonly resources?: Resources;
  readonly more?: PlacementMore;
}

const look = (devices = false) =>
  new ClusterView(cluster.client).lookWithPods(new Date(), AbortSignal.timeout(10_000), devices);

/** As the operator does it: the strategy of slices by the nodes there are, and then the pod. */
async function podFor({ accelerator, placement, resources, more }: Ask): Promise<NonNullable<Pod['spec']>> {
  const wanted = accelerator && { resource: 'nvidia.com/gpu', ...accelerator };
  const mig = wanted && migStrategy(wanted, (await look()).nodes);
  return {
    ...placementFields(placement, wanted, { mig, ...more }),
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'train', image: 'none', resources: containerResources(resources, wanted, mig) }],
  };
}

let count = 0;

/** What the scheduler made of it: the node, or else what we say of it. */
async function outcome(ask: Ask): Promise<string> {
  const pod = await cluster.schedule(`pod-${count++}`, await podFor(ask));
  try {
    if (pod.spec?.nodeName !== undefined) return pod.spec.nodeName;
    return explainPlacement(pod.spec ?? { containers: [] }, await look(), { scheduler: unschedulableMessage(pod) })
      .sentence;
  } finally {
    await cluster.remove(pod);
  }
}

beforeAll(async () => {
  cluster = await schedulerUnderTest();
  await cluster.addNodes(Object.entries(NODES).map(([name, shape]) => gpuNode({ ...shape, name })));
  for (const slice of SLICES) await cluster.client.create(resourceSlices, slice);
  await cluster.client.create(deviceClasses, deviceClass('gpu.nvidia.com', 'gpu'));
  await cluster.client.create(deviceClasses, deviceClass('mig.nvidia.com', 'mig'));
  const filler = await podFor({
    accelerator: { count: 2 },
    placement: { nodeSelector: { 'kubernetes.io/hostname': 'h100-full' } },
  });
  expect((await cluster.schedule('filler', filler)).spec?.nodeName).toBe('h100-full');
});
afterAll(() => cluster?.stop());

describe('the scheduler places what it is asked for', () => {
  test.each<[string, Ask, string]>([
    ['least memory', { accelerator: { count: 8, minMemory: '80Gi' } }, 'a100-80-a'],
    [
      'a tainted node whose taint is the resource',
      { accelerator: { count: 1 }, placement: { nodeSelector: { pool: 'tainted' } } },
      'a100-40-b',
    ],
    ['spot, taint and all', { accelerator: { count: 8, capacity: 'Spot' } }, 'h100-spot'],
    [
      'a card sold as 80 GB that may be taken back',
      { accelerator: { count: 1, capacity: 'Spot', minMemory: '80G' } },
      'h100-spot',
    ],
    ['a slice of the mixed strategy', { accelerator: { count: 2, mig: '3g.40gb' } }, 'h100-mixed'],
    ['a slice of the single strategy', { accelerator: { count: 3, mig: '1g.5gb' } }, 'a100-single'],
    [
      'a slice by the product of its card',
      { accelerator: { count: 3, mig: '1g.5gb', products: ['NVIDIA-A100-SXM4-40GB'] } },
      'a100-single',
    ],
    ['a slice with enough memory', { accelerator: { count: 1, mig: '1g.10gb', minMemory: '9Gi' } }, 'h100-mixed'],
    [
      'a dedicated node',
      {
        accelerator: { count: 1, minMemory: '80Gi' },
        placement: {
          nodeSelector: { 'kubernetes.io/hostname': 'a100-80-infra' },
          tolerations: [{ key: 'dedicated', operator: 'Exists' }],
        },
      },
      'a100-80-infra',
    ],
    [
      'another node than those left out',
      {
        accelerator: { count: 1, products: ['NVIDIA-A100-SXM4-40GB'] },
        more: { excludedNodes: ['a100-40-a', 'a100-40-c'] },
      },
      'a100-40-b',
    ],
  ])('%s', async (_what, ask, node) => expect(await outcome(ask)).toBe(node));

  test('pods that are to share a clique all in one', async () => {
    const labels = { gang: 'a' };
    const spec = await podFor({
      accelerator: { count: 2, products: [A100_40.product] },
      more: { together: { topologyKey: CLIQUE, matchLabels: labels } },
    });
    const gang = [];
    for (const rank of [0, 1, 2, 3]) gang.push(await cluster.schedule(`gang-${rank}`, spec, labels));
    const cliques = gang.map((pod) => NODES[pod.spec?.nodeName ?? '']?.labels?.[CLIQUE]);
    expect(new Set(cliques).size).toBe(1);
    expect(cliques[0]).toBeDefined();
    for (const pod of gang) await cluster.remove(pod);
  });
});

describe('where it can not, every node is told of', () => {
  test.each<[string, Ask, string]>([
    [
      'accelerators that are too small, too few, full, cordoned, tainted, of another kind',
      { accelerator: { count: 1, minMemory: '80Gi', capacity: 'OnDemand' }, more: { excludedNodes: ['a100-80-a'] } },
      '0 of 15 nodes: 4 have no nvidia.com/gpu; 3 have 40Gi < 80Gi; 3 have 79.6Gi < 80Gi (sold as 80 GB: write 80G); 1 has 4.8Gi < 80Gi; 1 is cordoned; 1 has invalid MIG partitions (NVIDIA-A100-SXM4-40GB-MIG-INVALID): give all its GPUs the same; 1 is left out for now (excludedNodes); 1 is tainted dedicated=infra:NoSchedule.',
    ],
    [
      'a product nobody has',
      { accelerator: { count: 1, products: ['NVIDIA-H200'] } },
      '0 of 15 nodes: 4 have no nvidia.com/gpu; 3 are NVIDIA-A100-SXM4-40GB, not NVIDIA-H200; 3 are NVIDIA-A100-SXM4-80GB, not NVIDIA-H200; 3 are NVIDIA-H100-80GB-HBM3, not NVIDIA-H200; 1 is NVIDIA-A100-SXM4-40GB-MIG-1g.5gb, not NVIDIA-H200; 1 has invalid MIG partitions (NVIDIA-A100-SXM4-40GB-MIG-INVALID): give all its GPUs the same.',
    ],
    [
      'a profile nobody has',
      { accelerator: { count: 1, mig: '7g.80gb' } },
      '0 of 15 nodes: 9 have no nvidia.com/mig-7g.80gb, only nvidia.com/gpu; 4 have no nvidia.com/mig-7g.80gb; 1 has invalid MIG partitions (NVIDIA-A100-SXM4-40GB-MIG-INVALID): give all its GPUs the same; 1 has no nvidia.com/mig-7g.80gb, only nvidia.com/gpu and nvidia.com/mig-1g.10gb and nvidia.com/mig-3g.40gb.',
    ],
    [
      'more than a node has',
      { accelerator: { count: 64 } },
      '0 of 15 nodes: 5 have 8 nvidia.com/gpu < 64; 4 have no nvidia.com/gpu; 1 has 2 nvidia.com/gpu < 64; 1 has 4 nvidia.com/gpu < 64; 1 has 56 nvidia.com/gpu < 64; 1 is Spot and tainted cloud.google.com/gke-spot: write capacity: Spot; 1 has invalid MIG partitions (NVIDIA-A100-SXM4-40GB-MIG-INVALID): give all its GPUs the same; 1 is tainted dedicated=infra:NoSchedule.',
    ],
    [
      'a machine that is too small',
      { resources: { requests: { cpu: '100' } } },
      '0 of 15 nodes: 11 have 64 CPUs < 100; 1 has 8 CPUs < 100; 1 is Spot and tainted cloud.google.com/gke-spot: write capacity: Spot; 1 is tainted dedicated=infra:NoSchedule; 1 is tainted nvidia.com/gpu=present:NoSchedule.',
    ],
    [
      'a label nobody has',
      { placement: { nodeSelector: { pool: 'gpu' } } },
      '0 of 15 nodes: 15 lack the label pool=gpu.',
    ],
    [
      'a full node',
      { accelerator: { count: 1 }, placement: { nodeSelector: { 'kubernetes.io/hostname': 'h100-full' } } },
      '0 of 15 nodes: 9 lack the label kubernetes.io/hostname=h100-full; 4 have no nvidia.com/gpu; 1 is full (2 of 2 nvidia.com/gpu taken); 1 has invalid MIG partitions (NVIDIA-A100-SXM4-40GB-MIG-INVALID): give all its GPUs the same.',
    ],
  ])('%s', async (_what, ask, sentence) => expect(await outcome(ask)).toBe(sentence));
});

describe('kubeflow/trainer#2782: accelerators by claims', () => {
  const claimed = async (more: Partial<Accelerator>, deviceClass = 'gpu.nvidia.com') => {
    const accelerator: Accelerator = { resource: 'nvidia.com/gpu', count: 1, claim: { deviceClass }, ...more };
    const name = `template-${count}`;
    const template = resourceClaimTemplate({ name, namespace: 'default' }, accelerator);
    await cluster.client.create(resourceClaimTemplates, template);
    const pod = await cluster.schedule(`pod-${count++}`, await podFor({ accelerator, more: { claimTemplate: name } }));
    const devices = async (): Promise<string[]> => {
      const claims = await cluster.client.list(resourceClaims, 'default');
      const its = claims.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === pod.metadata.uid);
      return its.flatMap(({ status }) => (status?.allocation?.devices?.results ?? []).map(({ device }) => device));
    };
    const asked = { scheduler: unschedulableMessage(pod), accelerator };
    const said = async () => explainPlacement(pod.spec ?? { containers: [] }, await look(true), asked).sentence;
    return { pod, devices, said };
  };

  test.each<[string, Partial<Accelerator>, string, string, number]>([
    ['a product', { products: ['NVIDIA-A100-SXM4-40GB'] }, 'gpu.nvidia.com', 'dra-a100', 1],
    ['least memory', { minMemory: '79Gi', count: 2 }, 'gpu.nvidia.com', 'dra-h100', 2],
    ['a slice', { mig: '1g.5gb', count: 3 }, 'mig.nvidia.com', 'dra-mig', 3],
    ["a slice's product", { mig: '1g.5gb', products: [A100_40.product] }, 'mig.nvidia.com', 'dra-mig', 1],
  ])('%s', async (_what, more, deviceClass, node, devices) => {
    const found = await claimed(more, deviceClass);
    expect(found.pod.spec?.nodeName).toBe(node);
    expect(await found.devices()).toHaveLength(devices);
    await cluster.remove(found.pod);
  });

  test('where none is granted, every node is told of', async () => {
    const { pod, said } = await claimed({ products: ['NVIDIA-H200'] });
    expect(await said()).toBe(
      '0 of 15 nodes: 12 have no devices to claim; 2 are NVIDIA-A100-SXM4-40GB, not NVIDIA-H200; 1 is NVIDIA-H100-80GB-HBM3, not NVIDIA-H200.',
    );
    await cluster.remove(pod);
  });

  test('what others have claimed is taken', async () => {
    const first = await claimed({ minMemory: '79Gi' });
    const second = await claimed({ minMemory: '79Gi', count: 2 });
    expect(second.pod.spec?.nodeName).toBeUndefined();
    expect(await second.said()).toContain('1 has 1 of 2 devices left < 2');
    await cluster.remove(second.pod);
    await cluster.remove(first.pod);
  });
});

test('we find a node that fits exactly where the scheduler does, whatever is asked', async () => {
  const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const asks = fc.record({
    count: fc.constantFrom(1, 2, 4, 8, 9, 56),
    minMemory: some('4Gi', '40Gi', '80G', '80Gi'),
    mig: some('1g.5gb', '1g.10gb', '3g.40gb', '7g.80gb'),
    capacity: some<'OnDemand' | 'Spot'>('OnDemand', 'Spot'),
    products: some([A100_40.product], [H100.product, A100_80.product], ['NVIDIA-L4']),
    cpu: fc.constantFrom('1', '16', '65'),
    excluded: fc.subarray(Object.keys(NODES), { maxLength: 3 }),
  });
  const check = async ({ cpu, excluded, ...rest }: typeof asks extends fc.Arbitrary<infer A> ? A : never) => {
    const accelerator = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const spec = await podFor({
      accelerator: accelerator as unknown as Accelerator,
      resources: { requests: { cpu } },
      more: { excludedNodes: excluded },
    });
    const before = await look();
    const pod = await cluster.schedule(`pod-${count++}`, spec);
    await cluster.remove(pod);
    const placed = pod.spec?.nodeName;
    expect(explainPlacement(spec, before).fitting > 0, JSON.stringify({ accelerator, cpu, excluded, placed })).toBe(
      placed !== undefined,
    );
    if (placed === undefined) return;
    const its = before.nodes.filter(({ metadata }) => metadata.name === placed);
    expect(explainPlacement(spec, { ...before, nodes: its }).fitting).toBe(1);
  };
  await fc.assert(fc.asyncProperty(asks, check), { numRuns: 60 });
});
