import type { Node, Pod } from '../../api/builtin.ts';
import { affinityObstacles, selectorObstacles, topologyObstacles } from './labels.ts';
import { hasInvalidMig } from './mig.ts';
import { lasting, type Obstacle, sentenceOf } from './obstacle.ts';
import { podNeeds } from './podNeeds.ts';
import type { Amounts } from './quantity.ts';
import { absentDevices, roomObstacles } from './room.ts';
import { taintObstacles } from './taints.ts';

type PodSpec = NonNullable<Pod['spec']>;

/** The nodes of a cluster, and what their pods hold of each, where that is known. */
export interface Cluster {
  readonly nodes: readonly Node[];
  readonly taken?: ReadonlyMap<string, Amounts> | undefined;
}

export interface Explanation {
  /** e.g. "0 of 6 nodes: 3 have 40Gi < 80Gi; 2 are full (8 of 8 nvidia.com/gpu taken); 1 is tainted dedicated=infra:NoSchedule". */
  readonly sentence: string;
  /** Nodes that nothing we can see keeps the pod off. */
  readonly fitting: number;
  /** No node of the cluster, as it is, could ever take the pod, however empty it were: only another node helps. */
  readonly hopeless: boolean;
}

/** A node whose slices are of several kinds offers none at all under the single strategy, and says so in its product. */
const invalidMig = (needs: Amounts, node: Node): Obstacle[] =>
  hasInvalidMig(node) && Object.keys(needs).some((name) => name.startsWith('nvidia.com/'))
    ? [
        lasting(
          'have',
          `invalid MIG partitions (${node.metadata.labels?.['nvidia.com/gpu.product']}): give all its GPUs the same`,
        ),
      ]
    : [];

/**
 * All that keeps a pod off a node: what the node is before what it is for now. A node without the device comes first, as
 * it has no labels of it either.
 */
function obstaclesOf(spec: PodSpec, needs: Amounts, node: Node, taken: Amounts | undefined): Obstacle[] {
  const all = [
    ...invalidMig(needs, node),
    ...absentDevices(needs, node),
    ...affinityObstacles(spec, node),
    ...selectorObstacles(spec, node),
    ...topologyObstacles(spec, node),
    ...taintObstacles(spec, node),
    ...roomObstacles(needs, node, taken),
  ];
  return [...all.filter((obstacle) => !obstacle.passing), ...all.filter((obstacle) => obstacle.passing)];
}

/**
 * Says why no node takes a pod, node class by node class: each node is counted once, under the obstacle that lasts
 * longest. It goes by the pod as it was made, so it holds for whatever was laid over our own fields. It does not look at
 * volumes, ports or where other pods are; where such a thing decides, some nodes fit by what it sees, and `scheduler`,
 * the scheduler's own words, is appended.
 */
export function explainPlacement(spec: PodSpec, { nodes, taken }: Cluster, scheduler?: string): Explanation {
  const total = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  if (nodes.length === 0) return { sentence: 'The cluster has no nodes.', fitting: 0, hopeless: true };
  const needs = podNeeds(spec);
  const first = nodes.map((node) => {
    const [obstacle] = obstaclesOf(spec, needs, node, taken && (taken.get(node.metadata.name) ?? {}));
    return obstacle;
  });
  const obstacles = first.filter((obstacle) => obstacle !== undefined);
  const fitting = nodes.length - obstacles.length;
  const ours = `${fitting} of ${total}${obstacles.length === 0 ? ' could take it' : `: ${sentenceOf(obstacles)}`}.`;
  const theirs = fitting > 0 && scheduler !== undefined ? [`The scheduler says: ${scheduler}`] : [];
  return {
    sentence: [ours, ...theirs].join(' '),
    fitting,
    hopeless: obstacles.length === nodes.length && obstacles.every((obstacle) => !obstacle.passing),
  };
}
