import type { Accelerator } from '@slipway/crds';
import type { Node, Pod } from '../../api/builtin.ts';
import { deviceObstacles, type SeenDevice } from './devices.ts';
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
  /** The nodes could not be listed, so none of it says anything. */
  readonly unseen?: boolean | undefined;
  readonly taken?: ReadonlyMap<string, Amounts> | undefined;
  /** Devices to claim, by the name of their node, where they are known. */
  readonly devices?: ReadonlyMap<string, readonly SeenDevice[]> | undefined;
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

/** A pod whose accelerators are claimed names no resource of theirs: what it wants stands in the spec it was made from. */
const unclaimable = (asked: Asked, { metadata }: Node): Obstacle[] =>
  asked.accelerator?.claim === undefined || asked.cluster.devices === undefined
    ? []
    : deviceObstacles(asked.accelerator, asked.cluster.devices.get(metadata.name) ?? []);

interface Asked extends Explained {
  readonly spec: PodSpec;
  readonly needs: Amounts;
  readonly cluster: Cluster;
}

/**
 * All that keeps a pod off a node: what the node is before what it is for now. A node without the device comes first, as
 * it has no labels of it either.
 */
function obstaclesOf(asked: Asked, node: Node): Obstacle[] {
  const { spec, needs, cluster } = asked;
  const all = [
    ...invalidMig(needs, node),
    ...absentDevices(needs, node),
    ...unclaimable(asked, node),
    ...affinityObstacles(spec, node),
    ...selectorObstacles(spec, node),
    ...topologyObstacles(spec, node),
    ...taintObstacles(spec, node),
    ...roomObstacles(needs, node, cluster.taken && (cluster.taken.get(node.metadata.name) ?? {})),
  ];
  return [...all.filter((obstacle) => !obstacle.passing), ...all.filter((obstacle) => obstacle.passing)];
}

export interface Explained {
  /** Why the scheduler found no node, in its own words; undefined before it has tried. */
  readonly scheduler?: string | undefined;
  /** What the pod was asked for, where it claims its accelerators. */
  readonly accelerator?: Accelerator | undefined;
}

/**
 * Says why no node takes a pod, node class by node class: each node is counted once, under the obstacle that lasts
 * longest. It goes by the pod as it was made, so it holds for whatever was laid over our own fields. It does not look at
 * volumes, ports or where other pods are; where such a thing decides, some nodes fit by what it sees, and the
 * scheduler's own words are appended.
 */
export function explainPlacement(spec: PodSpec, cluster: Cluster, explained: Explained = {}): Explanation {
  const { nodes, unseen } = cluster;
  const theirs = explained.scheduler === undefined ? [] : [`The scheduler says: ${explained.scheduler}`];
  if (unseen === true) return { sentence: theirs.join(), fitting: 0, hopeless: false };
  if (nodes.length === 0) return { sentence: 'The cluster has no nodes.', fitting: 0, hopeless: true };
  const asked = { ...explained, spec, needs: podNeeds(spec), cluster };
  const obstacles = nodes.flatMap((node) => obstaclesOf(asked, node).slice(0, 1));
  const fitting = nodes.length - obstacles.length;
  const total = `${fitting} of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  const ours = `${total}${obstacles.length === 0 ? ' could take it' : `: ${sentenceOf(obstacles)}`}.`;
  return {
    sentence: [ours, ...(fitting > 0 ? theirs : [])].join(' '),
    fitting,
    hopeless: fitting === 0 && obstacles.every((obstacle) => !obstacle.passing),
  };
}
