import type { Node, Pod } from '../../api/builtin.ts';
import { isCapacityLabel } from './capacity.ts';
import { lasting, type Obstacle, passing } from './obstacle.ts';
import { bytesText } from './quantity.ts';

type PodSpec = NonNullable<Pod['spec']>;
type NodeAffinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>;
type Term = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

function holds({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

const MEBIBYTE = 2 ** 20;

/** Cards are sold by decimal gigabytes: one of 80 GB has 79.6Gi, and 80Gi would rule it out. */
function soldAs(have: number, wanted: number): string {
  const gibibytes = wanted / 2 ** 30;
  const decimal = Number.isInteger(gibibytes) && have < wanted && have >= gibibytes * 1e9;
  return decimal ? ` (sold as ${gibibytes} GB: write ${gibibytes}G)` : '';
}

function tooLittleMemory({ key, values = [] }: Requirement, value: string | undefined): Obstacle {
  if (value === undefined) return lasting('lack', `the label ${key}`);
  const have = Number(value) * MEBIBYTE;
  const wanted = (Number(values[0]) + 1) * MEBIBYTE;
  return lasting('have', `${bytesText(have)} < ${bytesText(wanted)}${soldAs(have, wanted)}`);
}

/** The one label that does not hold, in the words of what was asked. */
function obstacleOf(requirement: Requirement, value: string | undefined): Obstacle {
  const { key, operator, values = [] } = requirement;
  if (isCapacityLabel(key)) return lasting('be', operator === 'In' ? 'not Spot' : 'Spot, not OnDemand');
  if (operator === 'Gt' && key.endsWith('.memory')) return tooLittleMemory(requirement, value);
  if (value === undefined) return lasting('lack', `the label ${key}`);
  if (key.endsWith('.product') && operator === 'In') return lasting('be', `${value}, not ${values.join(' or ')}`);
  if (operator === 'In') return lasting('have', `${key}=${value}, not ${values.join(' or ')}`);
  return lasting('have', `${key}=${value}`);
}

interface Failures {
  readonly fields: readonly Requirement[];
  readonly labels: readonly Requirement[];
}

const failuresOf = ({ matchFields = [], matchExpressions = [] }: Term, { metadata }: Node): Failures => ({
  fields: matchFields.filter((field) => !holds(field, metadata.name)),
  labels: matchExpressions.filter((expression) => !holds(expression, metadata.labels?.[expression.key])),
});

/** Labels first: a node that is left out for a while would not fit afterwards either. */
const firstOf = ({ fields, labels }: Failures, { metadata }: Node): Obstacle[] => [
  ...labels.map((expression) => obstacleOf(expression, metadata.labels?.[expression.key])),
  ...fields.map(() => passing('be', 'left out for now (excludedNodes)')),
];

/**
 * What the node affinity of a pod holds against a node. Of several terms one must hold, so what the nearest one misses is
 * what is told.
 */
export function affinityObstacles({ affinity }: PodSpec, node: Node): Obstacle[] {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const misses = terms.map((term) => failuresOf(term, node));
  const [nearest] = misses.sort((a, b) => a.labels.length + a.fields.length - b.labels.length - b.fields.length);
  return nearest === undefined ? [] : firstOf(nearest, node);
}

export const selectorObstacles = ({ nodeSelector = {} }: PodSpec, { metadata }: Node): Obstacle[] =>
  Object.entries(nodeSelector).flatMap(([key, wanted]) =>
    metadata.labels?.[key] === wanted ? [] : [lasting('lack', `the label ${key}=${wanted}`)],
  );

/** Pods that are to share a value of a label need nodes that have it. */
export const topologyObstacles = ({ affinity }: PodSpec, { metadata }: Node): Obstacle[] =>
  (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ topologyKey }) =>
    metadata.labels?.[topologyKey] === undefined ? [lasting('lack', `the label ${topologyKey}`)] : [],
  );
