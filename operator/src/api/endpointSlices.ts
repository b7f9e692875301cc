import type { V1EndpointSlice } from '@kubernetes/client-node';
import { resource } from '../kube/resource.ts';
import type { KubeObject, Wire } from '../kube/wire.ts';

export type EndpointSlice = Omit<Wire<V1EndpointSlice>, 'apiVersion' | 'kind' | 'metadata'> & KubeObject;

export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices');
