import { LABELS } from '@slipway/crds/contract';
import {
  type Deployment,
  deployments,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  type NetworkPolicy,
  networkPolicies,
  type Pod,
  type PodDisruptionBudget,
  podDisruptionBudgets,
  pods,
  type Service,
  services,
} from '../../api/builtin.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import { keyOf, keyText, type Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { BY_SERVICE } from './sources.ts';

/** What exists for a service, as cached. */
export interface Children {
  readonly deployments: readonly Stored<Deployment>[];
  readonly services: readonly Stored<Service>[];
  readonly pods: readonly Stored<Pod>[];
  readonly autoscalers: readonly Stored<HorizontalPodAutoscaler>[];
  readonly budgets: readonly Stored<PodDisruptionBudget>[];
  readonly networkPolicies: readonly Stored<NetworkPolicy>[];
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
    services: owned(services),
    pods: labelled(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    autoscalers: owned(horizontalPodAutoscalers),
    budgets: owned(podDisruptionBudgets),
    networkPolicies: owned(networkPolicies),
  };
}
