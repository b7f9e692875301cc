import type { Accelerator, Placement, Resources } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { A100_40, A100_80, A100_INVALID, A100_SINGLE, gpuNode, H100, H100_MIXED } from '../../../test/gpuNodes.ts';
import type { Node, Pod } from '../../api/builtin.ts';
import { containerResources, type PlacementMore, placementFields } from '../../render/placement.ts';
import { explainPlacement } from './explain.ts';
import { migStrategy } from './mig.ts';
import { takenBy } from './podNeeds.ts';

interface Ask {
  readonly accelerator?: Omit<Accelerator, 'resource'> & { resource?: string };
  readonly placement?: Placement;
  readonly resources?: Resources;
  readonly more?: PlacementMore;
}

/** The pod that a wish is compiled to, as the operator compiles it. */
function podFor({ accelerator, placement, resources, more }: Ask, nodes: readonly Node[]): NonNullable<Pod['spec']> {
  const wanted = accelerator && { resource: 'nvidia.com/gpu', ...accelerator };
  const mig = wanted && migStrategy(wanted, nodes);
  return {
    ...placementFields(placement, wanted, { mig, ...more }),
    containers: [{ name: 'train', resources: containerResources(resources, wanted, mig) }],
  };
}

const holding = (node: string, gpus: number, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `on-${node}` },
  spec: {
    nodeName: node,
    containers: [{ name: 'c', resources: { limits: { 'nvidia.com/gpu': String(gpus) }, requests: { cpu: '4' } } }],
  },
  status: { phase },
});

const named = (prefix: string, n: number, shape: Parameters<typeof gpuNode>[0]): Node[] =>
  Array.from({ length: n }, (_, i) => gpuNode({ ...shape, name: `${prefix}-${i}` }));

function sentence(ask: Ask, nodes: readonly Node[], pods: readonly Pod[] = []): string {
  return explainPlacement(podFor(ask, nodes), { nodes, taken: takenBy(pods) }, { scheduler: 'words of the scheduler' })
    .sentence;
}

const one = (more: Partial<Accelerator> = {}): Ask => ({ accelerator: { count: 1, ...more } });
const infra = [{ key: 'dedicated', value: 'infra', effect: 'NoSchedule' }];

describe('says why no node takes a pod', () => {
  test('node class by node class, the commonest first', () => {
    const nodes = [
      ...named('small', 3, A100_40),
      ...named('full', 2, A100_80),
      gpuNode({ ...A100_80, name: 'infra', taints: infra }),
    ];
    const pods = [holding('full-0', 8), holding('full-1', 8), holding('infra', 8, 'Succeeded')];
    expect(sentence(one({ minMemory: '80Gi' }), nodes, pods)).toBe(
      '0 of 6 nodes: 3 have 40Gi < 80Gi; 2 are full (8 of 8 nvidia.com/gpu taken); 1 is tainted dedicated=infra:NoSchedule.',
    );
  });

  test.each<[string, Ask, Node[], string]>([
    ['no nodes at all', one(), [], 'The cluster has no nodes.'],
    ['none with the device', one(), named('cpu', 2, {}), '0 of 2 nodes: 2 have no nvidia.com/gpu.'],
    [
      'another product',
      one({ products: ['NVIDIA-H100-80GB-HBM3', 'NVIDIA-H200'] }),
      [gpuNode(A100_40)],
      '0 of 1 node: 1 is NVIDIA-A100-SXM4-40GB, not NVIDIA-H100-80GB-HBM3 or NVIDIA-H200.',
    ],
    [
      'gpu-operator#475: nodes that feature discovery has not reached yet',
      one({ products: ['NVIDIA-L4'] }),
      [gpuNode({ gpus: 1 })],
      '0 of 1 node: 1 lacks the label nvidia.com/gpu.product.',
    ],
    [
      'a card sold as 80 GB, which has less than 80Gi',
      one({ minMemory: '80Gi' }),
      named('h', 2, H100),
      '0 of 2 nodes: 2 have 79.6Gi < 80Gi (sold as 80 GB: write 80G).',
    ],
    [
      'gpu-operator#479: partitions that the single strategy refuses',
      one({ mig: '1g.5gb' }),
      [gpuNode(A100_INVALID)],
      '0 of 1 node: 1 has invalid MIG partitions (NVIDIA-A100-SXM4-40GB-MIG-INVALID): give all its GPUs the same.',
    ],
    [
      'k8s-device-plugin#1682: slices that are not there while whole GPUs are',
      one({ mig: '2g.20gb' }),
      [gpuNode(H100_MIXED), gpuNode(A100_40)],
      '0 of 2 nodes: 1 has no nvidia.com/mig-2g.20gb, only nvidia.com/gpu; 1 has no nvidia.com/mig-2g.20gb, only nvidia.com/gpu and nvidia.com/mig-1g.10gb and nvidia.com/mig-3g.40gb.',
    ],
    ['more than any node has', one({ count: 16 }), named('h', 2, H100), '0 of 2 nodes: 2 have 8 nvidia.com/gpu < 16.'],
    [
      'kubernetes#97131: devices that are ill',
      one({ count: 4 }),
      [gpuNode({ ...H100, allocatable: { 'nvidia.com/gpu': '3' } })],
      '0 of 1 node: 1 has 3 of 8 nvidia.com/gpu healthy.',
    ],
    [
      'only machines that stay, and spot is wanted',
      one({ capacity: 'Spot' }),
      named('h', 2, H100),
      '0 of 2 nodes: 2 are not Spot.',
    ],
    [
      'only machines that may be taken back',
      one({ capacity: 'OnDemand' }),
      [gpuNode({ ...H100, labels: { 'cloud.google.com/gke-spot': 'true' } })],
      '0 of 1 node: 1 is Spot, not OnDemand.',
    ],
    [
      'a selector',
      { ...one(), placement: { nodeSelector: { pool: 'train' } } },
      [gpuNode({ ...H100, labels: { pool: 'serve' } }), gpuNode(H100)],
      '0 of 2 nodes: 2 lack the label pool=train.',
    ],
    [
      'a node that is left out after a fault',
      { ...one(), more: { excludedNodes: ['bad'] } },
      [gpuNode({ ...H100, name: 'bad' })],
      '0 of 1 node: 1 is left out for now (excludedNodes).',
    ],
    [
      'no domain to share',
      { ...one(), more: { together: { topologyKey: 'nvidia.com/gpu.clique', matchLabels: { job: 'a' } } } },
      [gpuNode(H100)],
      '0 of 1 node: 1 lacks the label nvidia.com/gpu.clique.',
    ],
    ['a cordon', one(), [gpuNode({ ...H100, unschedulable: true })], '0 of 1 node: 1 is cordoned.'],
    [
      'nodes that are gone',
      one(),
      [gpuNode({ ...H100, taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] })],
      '0 of 1 node: 1 is unreachable.',
    ],
    [
      'too few CPUs and too little memory',
      { ...one(), resources: { requests: { cpu: '96', memory: '1Ti' } } },
      [gpuNode(H100), gpuNode({ ...H100, cpu: '128' })],
      '0 of 2 nodes: 1 has 512Gi of memory < 1024Gi; 1 has 64 CPUs < 96.',
    ],
  ])('%s', (_case, ask, nodes, expected) => expect(sentence(ask, nodes)).toBe(expected));

  test('what pods hold is counted, not what ended pods held', () => {
    const nodes = [gpuNode({ ...H100, name: 'h' })];
    const ask = { accelerator: { count: 4 } };
    expect(sentence(ask, nodes, [holding('h', 6)])).toBe('0 of 1 node: 1 has 2 of 8 nvidia.com/gpu left < 4.');
    expect(sentence(ask, nodes, [holding('h', 6, 'Failed')])).toContain('1 of 1 node could take it.');
    const cpu = { ...one(), resources: { requests: { cpu: '61' } } };
    expect(sentence(cpu, nodes, [holding('h', 1)])).toBe('0 of 1 node: 1 has too little CPU left.');
  });

  test('where some node fits by all that we look at, the scheduler has the word', () => {
    expect(sentence(one(), [gpuNode(H100), gpuNode()])).toBe(
      '1 of 2 nodes: 1 has no nvidia.com/gpu. The scheduler says: words of the scheduler',
    );
  });

  test('without the right to list pods a full node is no obstacle of ours, and the scheduler has the word', () => {
    const nodes = [gpuNode(H100)];
    const { sentence: said } = explainPlacement(
      podFor(one(), nodes),
      { nodes },
      { scheduler: 'Insufficient nvidia.com/gpu' },
    );
    expect(said).toBe('1 of 1 node could take it. The scheduler says: Insufficient nvidia.com/gpu');
  });

  test('a hundred kinds of nodes make no wall of text', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => gpuNode({ gpus: 8, product: `P${i}` }));
    const said = sentence(one({ products: ['X'] }), nodes);
    expect(said).toContain('; 92 do not fit for other reasons.');
    expect(said.length).toBeLessThan(400);
  });
});

test('a cluster whose nodes may not be listed is not said to have none', () => {
  const unseen = { nodes: [], unseen: true };
  expect(explainPlacement(podFor(one(), []), unseen, { scheduler: 'words' })).toEqual({
    sentence: 'The scheduler says: words',
    fitting: 0,
    hopeless: false,
  });
});

describe('knows when only another node helps', () => {
  const hopeless = (ask: Ask, nodes: Node[], pods: Pod[] = []): boolean =>
    explainPlacement(podFor(ask, nodes), { nodes, taken: takenBy(pods) }).hopeless;

  test.each<[string, boolean, Ask, Node[]]>([
    ['no node at all', true, one(), []],
    ['accelerators that are too small', true, one({ minMemory: '80Gi' }), [gpuNode(A100_40)]],
    ['a taint', true, one(), [gpuNode({ ...H100, taints: infra })]],
    ['one node of several that is cordoned only', false, one(), [gpuNode(), gpuNode({ ...H100, unschedulable: true })]],
    ['devices that may get well', false, one(), [gpuNode({ ...H100, allocatable: { 'nvidia.com/gpu': '0' } })]],
    ['a node that is left out for a day', false, { ...one(), more: { excludedNodes: ['n'] } }, [gpuNode(H100)]],
  ])('%s: %s', (_case, expected, ask, nodes) => expect(hopeless(ask, nodes)).toBe(expected));

  test('a full node will be free again', () => {
    expect(hopeless(one(), [gpuNode({ ...H100, name: 'h' })], [holding('h', 8)])).toBe(false);
  });

  test('a small node that is cordoned besides stays small', () => {
    expect(hopeless(one({ minMemory: '80Gi' }), [gpuNode({ ...A100_40, unschedulable: true })])).toBe(true);
  });
});

test('slices under the single strategy are told by their product', () => {
  const nodes = [gpuNode({ ...A100_SINGLE, name: 's' }), gpuNode(A100_40)];
  expect(sentence(one({ mig: '1g.5gb' }), nodes, [holding('s', 56)])).toBe(
    '0 of 2 nodes: 1 is NVIDIA-A100-SXM4-40GB, not NVIDIA-A100-SXM4-40GB-MIG-1g.5gb; 1 is full (56 of 56 nvidia.com/gpu taken).',
  );
});
