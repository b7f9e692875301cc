import type {
  ResourceV1ResourceClaim,
  V1DeviceClass,
  V1ResourceClaimTemplate,
  V1ResourceSlice,
} from '@kubernetes/client-node';
import { resource } from '../kube/resource.ts';
import type { KubeObject, Wire } from '../kube/wire.ts';

/** Dynamic resource allocation (resource.k8s.io/v1, part of every Kubernetes from 1.34 on). */
type Device<T> = Omit<Wire<T>, 'apiVersion' | 'kind' | 'metadata'> & KubeObject;

export type DeviceClass = Device<V1DeviceClass>;
export type ResourceClaim = Device<ResourceV1ResourceClaim>;
export type ResourceClaimTemplate = Device<V1ResourceClaimTemplate>;
export type ResourceSlice = Device<V1ResourceSlice>;

const GROUP = 'resource.k8s.io';
export const deviceClasses = resource<DeviceClass>(GROUP, 'v1', 'DeviceClass', 'deviceclasses', false);
export const resourceClaimTemplates = resource<ResourceClaimTemplate>(
  GROUP,
  'v1',
  'ResourceClaimTemplate',
  'resourceclaimtemplates',
);
export const resourceClaims = resource<ResourceClaim>(GROUP, 'v1', 'ResourceClaim', 'resourceclaims');
export const resourceSlices = resource<ResourceSlice>(GROUP, 'v1', 'ResourceSlice', 'resourceslices', false);
