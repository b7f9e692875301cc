import type { Node, Pod } from '../../api/builtin.ts';
import { isCapacityLabel } from './capacity.ts';
import { lasting, type Obstacle, passing } from './obstacle.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Toleration = NonNullable<PodSpec['tolerations']>[number];
type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

const tolerates = ({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean =>
  (effect === undefined || effect === '' || effect === taint.effect) &&
  (key === undefined || key === '' ? operator === 'Exists' : key === taint.key) &&
  (operator === 'Exists' || value === (taint.value ?? ''));

/** Taints by which the control plane itself keeps pods off, in plain words. */
const CONDITIONS: Readonly<Record<string, string>> = {
  'node.kubernetes.io/unschedulable': 'cordoned',
  'node.kubernetes.io/not-ready': 'not ready',
  'node.kubernetes.io/unreachable': 'unreachable',
  'node.kubernetes.io/memory-pressure': 'short of memory',
  'node.kubernetes.io/disk-pressure': 'short of disk',
  'node.kubernetes.io/pid-pressure': 'short of process ids',
  'node.kubernetes.io/network-unavailable': 'without network',
  'node.kubernetes.io/out-of-service': 'out of service',
  'node.cloudprovider.kubernetes.io/uninitialized': 'not initialized yet',
};

const CORDON: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

const textOf = ({ key, value, effect }: Taint): string =>
  `tainted ${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;

function obstacleOf(taint: Taint): Obstacle {
  const plain = CONDITIONS[taint.key];
  if (plain !== undefined) return passing('be', plain);
  if (isCapacityLabel(taint.key)) return lasting('be', `Spot and tainted ${taint.key}: write capacity: Spot`);
  return lasting('be', textOf(taint));
}

/** Taints that keep a pod off a node. The field that `kubectl cordon` sets counts as its taint, which comes later. */
export function taintObstacles({ tolerations = [] }: PodSpec, { spec }: Node): Obstacle[] {
  const taints = [...(spec?.unschedulable === true ? [CORDON] : []), ...(spec?.taints ?? [])];
  return taints
    .filter(({ effect }) => effect !== 'PreferNoSchedule')
    .filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)))
    .map(obstacleOf);
}
