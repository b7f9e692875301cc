import type { Accelerator, Placement, Resources } from '@slipway/crds';
import type { Pod } from '../api/builtin.ts';
import { compact } from './compact.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Toleration = NonNullable<PodSpec['tolerations']>[number];
export type ContainerResources = NonNullable<PodSpec['containers'][number]['resources']>;

/** The fields of a pod that say where it may run. */
export type PlacementFields = Pick<
  PodSpec,
  'nodeSelector' | 'affinity' | 'tolerations' | 'priorityClassName' | 'schedulerName' | 'runtimeClassName'
>;

/**
 * Node label that names the product of an accelerator: `nvidia.com/gpu` is described by `nvidia.com/gpu.product`, as
 * the vendors' feature discovery writes it.
 */
export const productLabel = (resource: string): string => `${resource.split('/')[0]}/gpu.product`;

const productAffinity = ({ resource, products }: Accelerator): PodSpec['affinity'] =>
  products === undefined || products.length === 0
    ? undefined
    : {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: productLabel(resource), operator: 'In', values: [...products] }] },
            ],
          },
        },
      };

/** Accelerator nodes are tainted with the name of their resource by custom, to keep other pods away. */
const ownTaint = ({ resource }: Accelerator): Toleration => ({
  key: resource,
  operator: 'Exists',
  effect: 'NoSchedule',
});

/** Compiles what the user asks of a node to pod fields. Fields that are not asked for are absent. */
export function placementFields(
  placement: Placement | undefined,
  accelerator: Accelerator | undefined,
): PlacementFields {
  const tolerations = [
    ...(accelerator === undefined ? [] : [ownTaint(accelerator)]),
    ...((placement?.tolerations ?? []) as Toleration[]),
  ];
  return compact<PlacementFields>({
    nodeSelector: placement?.nodeSelector,
    affinity: accelerator && productAffinity(accelerator),
    tolerations: tolerations.length === 0 ? undefined : tolerations,
    priorityClassName: placement?.priorityClassName,
    schedulerName: placement?.schedulerName,
    runtimeClassName: placement?.runtimeClassName,
  });
}

/** Container resources with the accelerators as a limit: extended resources can't be overcommitted, so the request follows. */
export const containerResources = (
  resources: Resources | undefined,
  accelerator: Accelerator | undefined,
): ContainerResources =>
  compact<ContainerResources>({
    requests: resources?.requests,
    limits:
      accelerator === undefined
        ? resources?.limits
        : { ...resources?.limits, [accelerator.resource]: String(accelerator.count) },
  });
