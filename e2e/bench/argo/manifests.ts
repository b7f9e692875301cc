import type { Deployment } from '@slipway/operator/api/builtin.ts';
import type { ModelVersion } from '@slipway/operator/api/kinds.ts';
import { type Resource, resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';
import { GATEWAY } from '../../ground/install.ts';

const API = 'argoproj.io/v1alpha1';

export interface ArgoRollout extends KubeObject {
  readonly spec: object;
  readonly status?: {
    readonly phase?: string;
    readonly message?: string;
    readonly observedGeneration?: string;
    readonly abort?: boolean;
  };
}
export const argoRollouts: Resource<ArgoRollout> = resource('argoproj.io', 'v1alpha1', 'Rollout', 'rollouts');
export const analysisTemplates: Resource<KubeObject & { spec: object }> = resource(
  'argoproj.io',
  'v1alpha1',
  'AnalysisTemplate',
  'analysistemplates',
);

export type PodTemplate = NonNullable<Deployment['spec']>['template'];

export const LABELS = { app: 'argo' };
/** The canary's share of the traffic is its share of the pods: there is no plugin for the Gateway API to be had. */
const PODS = 10;

/** The pods of another version: they differ in nothing but its name and digest. */
export function ofVersion(template: PodTemplate, from: ModelVersion, to: ModelVersion): PodTemplate {
  const digest = ({ spec }: ModelVersion): string => spec.artifact.digest.replace('sha256:', '');
  const text = JSON.stringify(template)
    .replaceAll(digest(from), digest(to))
    .replaceAll(`"${from.spec.version}"`, `"${to.spec.version}"`);
  return JSON.parse(text);
}

/** The pods that we serve the version by, as they are, under labels of their own: no Service of ours sees them. */
export function asPeer({ metadata, spec }: PodTemplate, run: number): PodTemplate {
  const { topologySpreadConstraints: _ours, ...rest } = spec as Record<string, unknown>;
  const annotations = { ...metadata?.annotations, 'bench/run': String(run) };
  return { metadata: { labels: LABELS, annotations }, spec: rest } as unknown as PodTemplate;
}

export const argoRollout = (namespace: string, name: string, template: PodTemplate): ArgoRollout => ({
  apiVersion: API,
  kind: 'Rollout',
  metadata: { name, namespace },
  spec: {
    replicas: PODS,
    selector: { matchLabels: LABELS },
    template,
    strategy: {
      canary: {
        maxSurge: 1,
        maxUnavailable: 0,
        steps: [{ setWeight: 100 / PODS }, { pause: {} }],
        analysis: { templates: [{ templateName: 'errors' }] },
      },
    },
  },
});

const count = (version: string, more = ''): string =>
  `sum(increase(slipway_requests_total{version="${version}"${more}}[5s]))`;

/** Asked each second, and the first answer above 1 % aborts: nothing it allows is faster. */
export const errorAnalysis = (namespace: string, version: string, address: string) => ({
  apiVersion: API,
  kind: 'AnalysisTemplate',
  metadata: { name: 'errors', namespace },
  spec: {
    metrics: [
      {
        name: 'errors',
        interval: '1s',
        failureLimit: 0,
        failureCondition: 'len(result) > 0 && result[0] > 0.01',
        provider: {
          prometheus: { address, query: `${count(version, ',outcome="serverError"')} / ${count(version)}` },
        },
      },
    ],
  },
});

export const argoService = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: LABELS, ports: [{ name: 'http', port: 80, targetPort: 'rest' }] },
});

/** The same gateway as ours, with all pods behind one backend: it balances request by request. */
export const argoRoute = (namespace: string, name: string) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace },
  spec: {
    parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', ...GATEWAY }],
    hostnames: [`${name}.example.com`],
    rules: [{ backendRefs: [{ name, port: 80 }] }],
  },
});
