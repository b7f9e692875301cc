import type { Accelerator, Placement, Resources } from '@slipway/crds';
import type { Pod } from '../api/builtin.ts';
import { SPOT_MARKS } from '../domain/placement/capacity.ts';
import { type MigStrategy, migResource } from '../domain/placement/mig.ts';
import { quantityOf } from '../domain/placement/quantity.ts';
import { compact } from './compact.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Toleration = NonNullable<PodSpec['tolerations']>[number];
type NodeAffinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>;
type Term = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];
export type ContainerResources = NonNullable<PodSpec['containers'][number]['resources']>;

/** The fields of a pod that say where it may run. */
export type PlacementFields = Pick<
  PodSpec,
  | 'nodeSelector'
  | 'affinity'
  | 'tolerations'
  | 'priorityClassName'
  | 'schedulerName'
  | 'runtimeClassName'
  | 'resourceClaims'
>;

/** What the spec does not say of where pods may run. */
export interface PlacementMore {
  /** How the cluster offers slices, from migStrategy(). Unset: mixed. */
  readonly mig?: MigStrategy | undefined;
  /** Names of nodes that are left out. */
  readonly excludedNodes?: readonly string[] | undefined;
  /** Pods of these labels share one value of a node label. */
  readonly together?:
    | { readonly topologyKey: string; readonly matchLabels: Readonly<Record<string, string>> }
    | undefined;
  /** ResourceClaimTemplate that the accelerators are claimed by, where the spec asks for a claim. */
  readonly claimTemplate?: string | undefined;
}

/** Name of the claim in a pod. */
const CLAIM = 'accelerator';

/**
 * Node label that names the product of an accelerator: `nvidia.com/gpu` is described by `nvidia.com/gpu.product`, as
 * the vendors' feature discovery writes it.
 */
export const productLabel = (resource: string): string => `${resource.split('/')[0]}/gpu.product`;

/** The resource that is asked for by name. A slice has one of its own, unless it stands in for a whole accelerator. */
const resourceName = ({ resource, mig }: Accelerator, strategy: MigStrategy | undefined): string =>
  mig === undefined || strategy?.kind === 'Single' ? resource : migResource(mig);

function productsWanted({ resource, products = [] }: Accelerator, strategy: MigStrategy | undefined): Requirement[] {
  const values = strategy?.kind === 'Single' ? strategy.products : products;
  return values.length === 0 ? [] : [{ key: productLabel(resource), operator: 'In', values: [...values] }];
}

/** Gt alone compares numbers, and it is strict. A slice of the mixed strategy has a label of its own for its memory. */
function memoryWanted(accelerator: Accelerator, strategy: MigStrategy | undefined): Requirement[] {
  const { resource, minMemory, mig } = accelerator;
  if (minMemory === undefined) return [];
  const ofSlice = mig !== undefined && strategy?.kind !== 'Single';
  const key = ofSlice ? `${migResource(mig)}.memory` : `${resource.split('/')[0]}/gpu.memory`;
  const mebibytes = Math.ceil(quantityOf(minMemory) / 2 ** 20);
  return [{ key, operator: 'Gt', values: [String(mebibytes - 1)] }];
}

const notSpot: Requirement[] = SPOT_MARKS.map(({ key, value }) => ({ key, operator: 'NotIn', values: [value] }));

/** Terms of which one must hold: a node is Spot by the label of one cloud. */
function terms(accelerator: Accelerator | undefined, { mig, excludedNodes = [] }: PlacementMore): Term[] {
  const device =
    accelerator === undefined || accelerator.claim !== undefined
      ? []
      : [...productsWanted(accelerator, mig), ...memoryWanted(accelerator, mig)];
  const capacity = accelerator?.capacity;
  const common = capacity === 'OnDemand' ? [...device, ...notSpot] : device;
  // The server takes one name a field: each node left out is a requirement of its own.
  const fields = excludedNodes.map((name) => ({ key: 'metadata.name', operator: 'NotIn', values: [name] }));
  const alternatives: Requirement[][] =
    capacity === 'Spot'
      ? SPOT_MARKS.map(({ key, value }) => [...common, { key, operator: 'In', values: [value] }])
      : [common];
  return alternatives
    .map((expressions) =>
      compact<Term>({
        matchExpressions: expressions.length === 0 ? undefined : expressions,
        matchFields: fields.length === 0 ? undefined : fields,
      }),
    )
    .filter((term) => Object.keys(term).length > 0);
}

function affinity(accelerator: Accelerator | undefined, more: PlacementMore): PodSpec['affinity'] {
  const nodeSelectorTerms = terms(accelerator, more);
  const { together } = more;
  if (nodeSelectorTerms.length === 0 && together === undefined) return undefined;
  const beside = together && {
    labelSelector: { matchLabels: together.matchLabels },
    topologyKey: together.topologyKey,
  };
  return compact<NonNullable<PodSpec['affinity']>>({
    nodeAffinity:
      nodeSelectorTerms.length === 0
        ? undefined
        : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    podAffinity: beside && { requiredDuringSchedulingIgnoredDuringExecution: [beside] },
  });
}

/** Accelerator nodes are tainted with the name of their resource by custom, to keep other pods away. */
const ownTaint = ({ resource }: Accelerator): Toleration => ({
  key: resource,
  operator: 'Exists',
  effect: 'NoSchedule',
});

const spotTaints: readonly Toleration[] = SPOT_MARKS.map(({ key, value }) => ({
  key,
  operator: 'Equal',
  value,
  effect: 'NoSchedule',
}));

/** Compiles what the user asks of a node to pod fields. Fields that are not asked for are absent. */
export function placementFields(
  placement: Placement | undefined,
  accelerator: Accelerator | undefined,
  more: PlacementMore = {},
): PlacementFields {
  const tolerations = [
    ...(accelerator === undefined ? [] : [ownTaint(accelerator)]),
    ...(accelerator?.capacity === 'Spot' ? spotTaints : []),
    ...((placement?.tolerations ?? []) as Toleration[]),
  ];
  const template = accelerator?.claim && more.claimTemplate;
  return compact<PlacementFields>({
    nodeSelector: placement?.nodeSelector,
    affinity: affinity(accelerator, more),
    tolerations: tolerations.length === 0 ? undefined : tolerations,
    priorityClassName: placement?.priorityClassName,
    schedulerName: placement?.schedulerName,
    runtimeClassName: placement?.runtimeClassName,
    resourceClaims: template === undefined ? undefined : [{ name: CLAIM, resourceClaimTemplateName: template }],
  });
}

/** Container resources with the accelerators as a limit: extended resources can't be overcommitted, so the request follows. */
export function containerResources(
  resources: Resources | undefined,
  accelerator: Accelerator | undefined,
  mig?: MigStrategy,
): ContainerResources {
  const claimed = accelerator?.claim !== undefined;
  return compact<ContainerResources>({
    requests: resources?.requests,
    limits:
      accelerator === undefined || claimed
        ? resources?.limits
        : { ...resources?.limits, [resourceName(accelerator, mig)]: String(accelerator.count) },
    claims: claimed ? [{ name: CLAIM }] : undefined,
  });
}
