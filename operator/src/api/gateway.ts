import { resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';

/** The part of the Gateway API (gateway.networking.k8s.io/v1) that splitting requests needs. */
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

export interface HeaderMatch {
  type: 'Exact';
  name: string;
  value: string;
}

/** All of it must fit. */
export interface RouteMatch {
  path: { type: 'PathPrefix'; value: string };
  headers?: HeaderMatch[];
}

/** One of the matches must fit. */
export interface RouteRule {
  /** Extended: only for gateways that say HTTPRouteNamedRouteRule. */
  name?: string;
  matches: RouteMatch[];
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

export interface GatewayClass extends KubeObject {
  spec: { controllerName: string };
  status?: {
    conditions?: GatewayCondition[];
    /** Objects since v1.3 of the API; plain names where its experimental CRDs of before are installed. */
    supportedFeatures?: (string | { name: string })[];
  };
}

const GROUP = 'gateway.networking.k8s.io';
export const httpRoutes = resource<HTTPRoute>(GROUP, 'v1', 'HTTPRoute', 'httproutes');
export const gateways = resource<Gateway>(GROUP, 'v1', 'Gateway', 'gateways');
export const gatewayClasses = resource<GatewayClass>(GROUP, 'v1', 'GatewayClass', 'gatewayclasses', false);
