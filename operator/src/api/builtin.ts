import type {
  V1ConfigMap,
  V1Deployment,
  V1Job,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Secret,
  V1Service,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import { resource } from '../kube/resource.ts';
import type { KubeObject, Wire } from '../kube/wire.ts';

type Builtin<T> = Omit<Wire<T>, 'apiVersion' | 'kind' | 'metadata'> & KubeObject;

export type ConfigMap = Builtin<V1ConfigMap>;
export type Deployment = Builtin<V1Deployment>;
export type HorizontalPodAutoscaler = Builtin<V2HorizontalPodAutoscaler>;
export type Job = Builtin<V1Job>;
export type NetworkPolicy = Builtin<V1NetworkPolicy>;
export type Node = Builtin<V1Node>;
export type PersistentVolumeClaim = Builtin<V1PersistentVolumeClaim>;
export type Pod = Builtin<V1Pod>;
export type PodDisruptionBudget = Builtin<V1PodDisruptionBudget>;
export type Secret = Builtin<V1Secret>;
export type Service = Builtin<V1Service>;

export const configMaps = resource<ConfigMap>('', 'v1', 'ConfigMap', 'configmaps');
export const deployments = resource<Deployment>('apps', 'v1', 'Deployment', 'deployments');
export const horizontalPodAutoscalers = resource<HorizontalPodAutoscaler>(
  'autoscaling',
  'v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const jobs = resource<Job>('batch', 'v1', 'Job', 'jobs');
export const networkPolicies = resource<NetworkPolicy>('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies');
export const nodes = resource<Node>('', 'v1', 'Node', 'nodes', false);
export const persistentVolumeClaims = resource<PersistentVolumeClaim>(
  '',
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
);
export const pods = resource<Pod>('', 'v1', 'Pod', 'pods');
export const podDisruptionBudgets = resource<PodDisruptionBudget>(
  'policy',
  'v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const secrets = resource<Secret>('', 'v1', 'Secret', 'secrets');
export const services = resource<Service>('', 'v1', 'Service', 'services');
