import { LABELS } from '@slipway/crds/contract';
import {
  deployments,
  horizontalPodAutoscalers,
  jobs,
  networkPolicies,
  podDisruptionBudgets,
  pods,
  secrets,
  services,
} from '../../api/builtin.ts';
import { endpointSlices } from '../../api/endpointSlices.ts';
import { type GatewayClass, gatewayClasses, gateways, httpRoutes } from '../../api/gateway.ts';
import { type InferenceService, inferenceServices, type ModelVersion, modelVersions } from '../../api/kinds.ts';
import { type Grant, type Source, type Store, source, type Verb } from '../../kube/contracts.ts';
import { type Key, keyOf, keyText, type Resource } from '../../kube/resource.ts';
import type { KubeObject } from '../../kube/wire.ts';
import { TEST_COMPONENT } from '../../render/guardJob.ts';
import { gatewayOf } from '../../traffic/gatewayApi.ts';
import { claimGrants } from '../placement/claimed.ts';
import { clusterGrants } from '../placement/cluster.ts';

const CHILDREN = `${LABELS.managedBy}=slipway,${LABELS.component}=predictor`;
const TESTS = `${LABELS.managedBy}=slipway,${LABELS.component}=${TEST_COMPONENT}`;
const CHILD_VERBS: readonly Verb[] = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/** Index of children and pods by the service they belong to, `<namespace>/<name>`. */
export const BY_SERVICE = 'service';

/** Index of versions by their model, `<namespace>/<model>`. */
export const BY_MODEL = 'model';

const serviceOf = ({ metadata }: KubeObject): Key[] => {
  const name = metadata.labels?.[LABELS.inferenceService];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
};

const children = <T extends KubeObject>(resource: Resource<T>, labelSelector = CHILDREN): Source =>
  source({
    resource,
    labelSelector,
    toKeys: serviceOf,
    indexes: { [BY_SERVICE]: (object) => serviceOf(object).map(keyText) },
  });

/** What may change the mind of a service without carrying its name: the model it wants, the gateway it stands behind. */
export interface Concerned {
  /** Set once the controller is built; until then nothing is queued by another's change. */
  services: Store<InferenceService> | undefined;
}

/** A service that follows wants to know of every version of its model: any may enter Production, or leave it. */
const wants =
  (concerned: Concerned) =>
  ({ metadata, spec }: ModelVersion): Key[] =>
    (concerned.services?.list(metadata.namespace) ?? [])
      .filter(({ spec: { model } }) => model.name === spec.model && (model.version ?? spec.version) === spec.version)
      .map(keyOf);

const behind =
  (concerned: Concerned, byDefault: Key | undefined) =>
  (gateway: KubeObject): Key[] =>
    (concerned.services?.list() ?? [])
      .filter((infs) => {
        const key = gatewayOf(infs, byDefault);
        return key !== undefined && keyText(key) === keyText(keyOf(gateway));
      })
      .map(keyOf);

/** What a class can do decides what its Gateways can. A class changes about never, and then every service looks again. */
const ofAnyClass =
  (concerned: Concerned) =>
  (_class: GatewayClass): Key[] =>
    (concerned.services?.list() ?? []).map(keyOf);

export const sources = (concerned: Concerned, defaultGateway: Key | undefined): readonly Source[] => [
  source({ resource: inferenceServices, toKeys: (infs) => [keyOf(infs)] }),
  source({
    resource: modelVersions,
    toKeys: wants(concerned),
    indexes: { [BY_MODEL]: ({ metadata, spec }) => [`${metadata.namespace}/${spec.model}`] },
  }),
  source({ resource: gateways, toKeys: behind(concerned, defaultGateway) }),
  source({ resource: gatewayClasses, toKeys: ofAnyClass(concerned) }),
  children(httpRoutes),
  children(deployments),
  children(services),
  children(pods),
  children(horizontalPodAutoscalers),
  children(podDisruptionBudgets),
  children(networkPolicies),
  children(endpointSlices),
  children(jobs, TESTS),
];

export const GRANTS: readonly Grant[] = [
  { resource: inferenceServices, verbs: ['get', 'list', 'watch'] },
  { resource: inferenceServices, verbs: ['patch'], subresource: 'status' },
  { resource: modelVersions, verbs: ['get', 'list', 'watch'] },
  { resource: gateways, verbs: ['get', 'list', 'watch'] },
  { resource: gatewayClasses, verbs: ['get', 'list', 'watch'] },
  { resource: endpointSlices, verbs: ['get', 'list', 'watch'] },
  { resource: pods, verbs: ['get', 'list', 'watch'] },
  { resource: pods, verbs: ['get'], subresource: 'log' },
  { resource: secrets, verbs: ['get', 'create', 'patch'] },
  ...clusterGrants,
  ...claimGrants,
  ...[httpRoutes, deployments, services, horizontalPodAutoscalers, podDisruptionBudgets, networkPolicies, jobs].map(
    (resource): Grant => ({ resource, verbs: CHILD_VERBS }),
  ),
];
