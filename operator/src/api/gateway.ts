import { resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';

/** The part of the Gateway API (gateway.networking.k8s.io/v1) that a weighted route needs. */
export interface ParentReference {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
  sectionName?: string;
}

export interface GatewayCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime?: string;
  reason: string;
  message: string;
}

export interface BackendReference {
  group?: string;
  kind?: string;
  name: string;
  port: number;
  weight: number;
}

export interface RouteFilter {
  type: 'URLRewrite';
  urlRewrite: { path: { type: 'ReplacePrefixMatch'; replacePrefixMatch: string } };
}

export interface RouteRule {
  matches: { path: { type: 'PathPrefix'; value: string } }[];
  filters?: RouteFilter[];
  backendRefs: BackendReference[];
}

export interface HTTPRoute extends KubeObject {
  spec: { parentRefs: ParentReference[]; hostnames?: string[]; rules: RouteRule[] };
  status?: {
    parents: { parentRef: ParentReference; controllerName: string; conditions?: GatewayCondition[] }[];
  };
}

export interface Gateway extends KubeObject {
  spec: {
    gatewayClassName: string;
    listeners: { name: string; port: number; protocol: string; hostname?: string }[];
  };
  status?: { addresses?: { type?: string; value: string }[]; conditions?: GatewayCondition[] };
}

const GROUP = 'gateway.networking.k8s.io';
export const httpRoutes = resource<HTTPRoute>(GROUP, 'v1', 'HTTPRoute', 'httproutes');
export const gateways = resource<Gateway>(GROUP, 'v1', 'Gateway', 'gateways');
