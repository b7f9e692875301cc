import { LABELS } from '@slipway/crds/contract';
import {
  type Deployment,
  deployments,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  type Job,
  jobs,
  type NetworkPolicy,
  networkPolicies,
  type Pod,
  type PodDisruptionBudget,
  podDisruptionBudgets,
  pods,
  type Service,
  services,
} from '../../api/builtin.ts';
import { type EndpointSlice, endpointSlices } from '../../api/endpointSlices.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import { keyOf, keyText, type Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { BY_SERVICE } from './sources.ts';

/** What exists for a service, as cached. */
export interface Children {
  readonly deployments: readonly Stored<Deployment>[];
  /** Those of revisions: the one of the whole service, where there is one, is its way in and no version. */
  readonly services: readonly Stored<Service>[];
  readonly slices: readonly Stored<EndpointSlice>[];
  readonly pods: readonly Stored<Pod>[];
  readonly autoscalers: readonly Stored<HorizontalPodAutoscaler>[];
  readonly budgets: readonly Stored<PodDisruptionBudget>[];
  readonly networkPolicies: readonly Stored<NetworkPolicy>[];
  /** Jobs of guards. */
  readonly tests: readonly Stored<Job>[];
}

export const revisionLabel = ({ metadata }: KubeObject): string => metadata.labels?.[LABELS.revision] ?? '';

const isOwned = (object: KubeObject, { metadata: { uid } }: Stored<InferenceService>): boolean =>
  object.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;

/** Children carry an owner reference to the service. Pods belong to a ReplicaSet and are found by their labels. */
export function childrenOf({ store }: Pick<ControllerContext, 'store'>, infs: Stored<InferenceService>): Children {
  const labelled = <T extends KubeObject>(resource: Resource<T>): readonly Stored<T>[] =>
    store(resource).by(BY_SERVICE, keyText(keyOf(infs)));
  const owned = <T extends KubeObject>(resource: Resource<T>): readonly Stored<T>[] =>
    labelled(resource).filter((object) => isOwned(object, infs) && object.metadata.deletionTimestamp === undefined);
  return {
    deployments: owned(deployments),
    services: owned(services).filter((service) => revisionLabel(service) !== ''),
    slices: labelled(endpointSlices),
    pods: labelled(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    autoscalers: owned(horizontalPodAutoscalers),
    budgets: owned(podDisruptionBudgets),
    networkPolicies: owned(networkPolicies),
    tests: owned(jobs),
  };
}
