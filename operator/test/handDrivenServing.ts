import {
  ADMIN_PATHS,
  BASELINE_SCHEMA,
  type Baseline,
  type Evidence,
  type EvidencePoll,
  evidencePollSchema,
} from '@slipway/crds/contract';
import { expect } from 'vitest';
import { type Deployment, deployments, type Pod, pods } from '../src/api/builtin.ts';
import { gateways, type HTTPRoute, httpRoutes } from '../src/api/gateway.ts';
import type { Client } from '../src/kube/client.ts';
import { rfc3339 } from '../src/kube/conditions.ts';
import { keyOf } from '../src/kube/resource.ts';
import type { Stored } from '../src/kube/wire.ts';
import type { FetchText } from '../src/measure/fetchText.ts';
import type { UnderTest } from './controllersUnderTest.ts';
import { answered, binned, evidenceDocument, latencies } from './evidenceDocument.ts';

const AS_NODE = { fieldManager: 'kubelet' };
const AS_GATEWAY = { fieldManager: 'gateway' };

type Counter =
  | 'ok'
  | 'serverError'
  | 'slow'
  | 'invalid'
  | 'right'
  | 'wrong'
  | 'compared'
  | 'disagreed'
  | 'copies'
  | 'copiesFailed';

/** What a pod has served, for a test to set. */
export interface Traffic {
  ok: number;
  serverError: number;
  /** Served requests that took 100 ms; the others took 10. */
  slow: number;
  invalid: number;
  right: number;
  wrong: number;
  /** Counts by bin of its one prediction; without any its model has no baseline. */
  predictions: number[];
  /** Under the shadow order it was last told, which it answers for. */
  compared: number;
  disagreed: number;
  /** Copies for a second opinion that it answered, and those of them that failed. */
  copies: number;
  copiesFailed: number;
  /** false: its runtime knows of no second opinions. */
  takesCopies: boolean;
  /** Added to its counters with each poll, so that they come in as many batches as there are polls. */
  each: Partial<Record<Counter, number>>;
  /** It answers no poll, as behind a closed port. */
  silent: boolean;
  /** How often it was asked for evidence. */
  polls: number;
  /** What it was told with the last poll. */
  told: EvidencePoll | undefined;
}
const nothingServed = (bins: number): Traffic => ({
  ok: 0,
  serverError: 0,
  slow: 0,
  invalid: 0,
  right: 0,
  wrong: 0,
  predictions: new Array<number>(bins).fill(0),
  compared: 0,
  disagreed: 0,
  copies: 0,
  copiesFailed: 0,
  takesCopies: false,
  each: {},
  silent: false,
  polls: 0,
  told: undefined,
});

interface ServingPod {
  readonly object: Stored<Pod>;
  readonly traffic: Traffic;
  readonly startedAt: Date;
}

/**
 * Stands in for what does not run beside a bare API server: the Deployment controller and kubelet (makes pods and
 * writes their status), the gateway (accepts routes) and the runtime (answers polls for evidence).
 */
export class HandDrivenServing {
  readonly #under: UnderTest;
  readonly #pods = new Map<string, ServingPod>();
  #nextIp = 1;
  /** Bins in the baseline of the models that pods serve from now on; 0: they have none. */
  predictionBins = 0;

  constructor(under: UnderTest) {
    this.#under = under;
  }

  get #client(): Client {
    return this.#under.client;
  }

  /** The runtime's side of a poll. */
  readonly fetchText: FetchText = async (url, _token, _signal, body) => {
    const pod = this.#pods.get(new URL(url).hostname);
    if (pod === undefined || pod.traffic.silent) return undefined;
    if (url.endsWith(ADMIN_PATHS.baseline)) return JSON.stringify(baselineOf(pod.traffic));
    if (body !== undefined) pod.traffic.told = evidencePollSchema.parse(JSON.parse(body));
    pod.traffic.polls += 1;
    for (const [counter, more] of Object.entries(pod.traffic.each)) pod.traffic[counter as Counter] += more;
    return JSON.stringify(evidence(pod));
  };

  /** Makes pods of a Deployment, numbered from `from`, and has them pass their probes. Returns the counters of the first. */
  async serve(deployment: Stored<Deployment>, count: number, from = 0): Promise<Traffic> {
    const all = await Promise.all(Array.from({ length: count }, (_, i) => this.#ready(deployment, from + i)));
    return all[0] ?? nothingServed(0);
  }

  async #ready(deployment: Stored<Deployment>, index: number): Promise<Traffic> {
    const object = await this.#pod(deployment, index);
    const ip = `10.244.0.${this.#nextIp++}`;
    const traffic = nothingServed(this.predictionBins);
    this.#pods.set(ip, { object, traffic, startedAt: new Date(Date.now() + 1000) });
    const conditions = [{ type: 'Ready', status: 'True' }];
    await this.podIs(object, { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions });
    return traffic;
  }

  #pod(deployment: Stored<Deployment>, index: number): Promise<Stored<Pod>> {
    const { name, namespace = '' } = deployment.metadata;
    const { metadata, spec } = deployment.spec?.template ?? {};
    return this.#client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-${index}`,
        namespace,
        labels: metadata?.labels ?? {},
        annotations: metadata?.annotations ?? {},
      },
      ...(spec === undefined ? {} : { spec }),
    });
  }

  podIs({ metadata: { name, namespace = '' } }: Stored<Pod>, status: NonNullable<Pod['status']>): Promise<Stored<Pod>> {
    const object: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, status };
    return this.#client.applyStatus(pods, object, AS_NODE);
  }

  /** Makes one pod of a Deployment with a status of the test's choosing. */
  async podWith(deployment: Stored<Deployment>, status: NonNullable<Pod['status']>): Promise<void> {
    await this.podIs(await this.#pod(deployment, 0), status);
  }

  /** A Gateway that no controller has spoken about. */
  async gateway(name: string): Promise<void> {
    const { namespace } = this.#under;
    await this.#client.create(gateways, {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name, namespace },
      spec: { gatewayClassName: 'test', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    });
  }

  /** Waits for a route with these weights by backend, and has the gateway accept it. */
  async program(name: string, weights: Readonly<Record<string, number>>): Promise<Stored<HTTPRoute>> {
    const route = await this.#under.until(httpRoutes, name, ({ spec }) =>
      expect(Object.fromEntries(spec.rules[0]?.backendRefs.map((b) => [b.name, b.weight]) ?? [])).toEqual(weights),
    );
    await this.#acceptThis(route);
    return route;
  }

  /** Has the gateway accept a route as it is now. */
  async accept(name: string): Promise<void> {
    await this.#acceptThis(await this.#under.until(httpRoutes, name));
  }

  async #acceptThis(route: Stored<HTTPRoute>): Promise<void> {
    const { name, generation = 0, namespace = '' } = route.metadata;
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: 'True' as const,
      reason: type,
      message: '',
      observedGeneration: generation,
      lastTransitionTime: rfc3339(new Date()),
    }));
    const parents = [{ parentRef: route.spec.parentRefs[0], controllerName: 'example.com/test', conditions }];
    const { apiVersion, kind } = route;
    const told = { apiVersion, kind, metadata: { name, namespace }, status: { parents } };
    await this.#client.applyStatus(httpRoutes, told as unknown as HTTPRoute, AS_GATEWAY);
  }

  /** The Deployment of a version, once it asks for so many pods. */
  async deploymentOf(version: string, replicas: number): Promise<Stored<Deployment>> {
    const found = await this.#deployment(version);
    expect(found.spec?.replicas).toBe(replicas);
    return found;
  }

  async #deployment(version: string): Promise<Stored<Deployment>> {
    const found = (await this.#client.list(deployments, this.#under.namespace, {})).find(
      ({ spec }) => spec?.template.metadata?.labels?.['slipway.dev/version'] === version,
    );
    if (found === undefined) throw new Error(`there is no Deployment of version ${version}`);
    return found;
  }

  /** The garbage collector's part. */
  async deletePodsOf(deployment: { readonly metadata: { readonly name: string } }): Promise<void> {
    for (const [ip, { object }] of this.#pods) {
      if (!object.metadata.name.startsWith(deployment.metadata.name)) continue;
      this.#pods.delete(ip);
      await this.#client.delete(pods, keyOf(object));
    }
  }
}

/** One request a second, so that no two of them came together: the design effect is 1. */
function evidence({ object, traffic, startedAt }: ServingPod): Evidence {
  const { annotations = {}, labels = {}, uid } = object.metadata;
  const { ok, serverError, slow, invalid, right, wrong, predictions, copies, copiesFailed, told } = traffic;
  const served = ok + serverError;
  return evidenceDocument({
    epoch: uid,
    startedAt: startedAt.toISOString(),
    at: new Date().toISOString(),
    model: {
      name: labels['slipway.dev/model'] ?? '',
      version: labels['slipway.dev/version'] ?? '',
      digest: annotations['slipway.dev/digest'] ?? '',
    },
    requests: answered(ok, serverError),
    batches: { seconds: served, failedSquaredOverServed: serverError },
    latency: latencies([10, served - slow], [100, slow]),
    invalid,
    ...(traffic.takesCopies ? { copies: { ok: copies, clientError: 0, serverError: copiesFailed, invalid: 0 } } : {}),
    labels: { right, wrong, unknown: 0 },
    ...(predictions.length === 0 ? {} : { predictions: [binned('delay', predictions)] }),
    ...(told?.shadow ? { shadow: shadowed(told.shadow.id, traffic) } : {}),
  });
}

/** Bins of width 1 for what it predicts: those of every version are the same. */
const baselineOf = ({ predictions }: Traffic): Baseline => ({
  schema: BASELINE_SCHEMA,
  features: [],
  predictions: predictions.length === 0 ? [] : [delayIn(predictions.map((_, i) => i).slice(1))],
});

const delayIn = (edges: number[]) => ({
  name: 'delay',
  tensor: 'delay',
  index: 0,
  kind: 'numeric' as const,
  count: 1,
  min: 0,
  max: edges.length + 1,
  mean: 0,
  m2: 0,
  bins: { edges, counts: [...edges.map(() => 1), 1] },
});

const shadowed = (order: string, { compared, disagreed }: Traffic) => ({
  order,
  compared,
  disagreed,
  skipped: 0,
  failed: 0,
  ...(disagreed === 0
    ? {}
    : {
        examples: [{ id: '1', output: 'delay', live: '0.2', candidate: '0.9' }],
        segments: { BR: { compared, disagreed } },
      }),
});
