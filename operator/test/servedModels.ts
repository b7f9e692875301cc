import { API_VERSION } from '@slipway/crds/contract';
import { expect, vi } from 'vitest';
import { type Deployment, deployments } from '../src/api/builtin.ts';
import { type InferenceService, inferenceServices, modelVersions } from '../src/api/kinds.ts';
import type { OperatorConfig } from '../src/config.ts';
import { inferenceServiceController } from '../src/controllers/inferenceservice/controller.ts';
import { rfc3339 } from '../src/kube/conditions.ts';
import type { ControllerSpec } from '../src/kube/contracts.ts';
import type { Key } from '../src/kube/resource.ts';
import type { Stored } from '../src/kube/wire.ts';
import type { FetchText } from '../src/measure/fetchText.ts';
import { instantQueryWithin } from '../src/measure/prometheus/instantQuery.ts';
import { runControllers, type UnderTest } from './controllersUnderTest.ts';
import { installGatewayApi } from './gatewayApiDefinitions.ts';
import { HandDrivenServing, type Traffic } from './handDrivenServing.ts';
import { passOverCached } from './passOverCached.ts';

const WITHIN = { timeout: 20_000, interval: 25 };
type Spec = InferenceService['spec'];
type Ask = Parameters<FetchText>;
type Rollout = Partial<Spec['rollout']>;

export const digestOf = (minor: number): string => `sha256:${String(minor).repeat(64)}`;

/** The InferenceService controller against the real API server, with models to serve. */
export class ServedModels {
  readonly under: UnderTest;
  readonly hand: HandDrivenServing;

  readonly #controller: () => ControllerSpec;

  private constructor(under: UnderTest, hand: HandDrivenServing, controller: () => ControllerSpec) {
    this.under = under;
    this.hand = hand;
    this.#controller = controller;
  }

  /** With other controllers beside it, where the test is about what they make of the same services. */
  static async start(
    kubeconfig: string,
    beside: (config: OperatorConfig) => readonly ControllerSpec[] = () => [],
  ): Promise<ServedModels> {
    await installGatewayApi(kubeconfig);
    const late: { hand?: HandDrivenServing } = {};
    const around = {
      fetchText: async (...ask: Ask) => late.hand?.fetchText(...ask),
      newToken: () => 'secret',
      query: instantQueryWithin(2000),
    };
    const controller = (config: OperatorConfig) =>
      inferenceServiceController({ ...config, guardPeriodMs: 100 }, around);
    const under = await runControllers(kubeconfig, (config) => [controller(config), ...beside(config)]);
    const hand = new HandDrivenServing(under);
    late.hand = hand;
    await hand.gateway('public');
    return new ServedModels(under, hand, () => controller(under.config));
  }

  key(name: string): Key {
    return { namespace: this.under.namespace, name };
  }

  /** A ModelVersion that is Ready. */
  async modelVersion(model: string, minor: number): Promise<void> {
    const { client } = this.under;
    const base = { apiVersion: API_VERSION, kind: 'ModelVersion', metadata: this.key(`${model}-1.${minor}.0`) };
    const artifact = { uri: `pvc://models/${model}/${minor}`, digest: digestOf(minor), format: 'ONNX' as const };
    const made = await client.create(modelVersions, { ...base, spec: { model, version: `1.${minor}.0`, artifact } });
    const ready = {
      type: 'Ready',
      status: 'True' as const,
      reason: 'Ready',
      message: 'ok',
      observedGeneration: made.metadata.generation ?? 1,
      lastTransitionTime: rfc3339(new Date()),
    };
    await client.applyStatus(modelVersions, { ...base, status: { conditions: [ready] } } as never, {
      fieldManager: 'test',
    });
  }

  service(
    name: string,
    rollout: Rollout = {},
    predictor: Spec['predictor'] = { replicas: { min: 2 } },
    traffic: Partial<Spec['traffic']> = {},
  ): Promise<Stored<InferenceService>> {
    return this.under.client.create(inferenceServices, {
      apiVersion: API_VERSION,
      kind: 'InferenceService',
      metadata: this.key(name),
      spec: {
        model: { name, version: '1.0.0' },
        predictor,
        traffic: { gateway: { name: 'public' }, pathPrefix: `/${name}`, ...traffic },
        rollout: {
          steps: [{ weight: 5 }, { weight: 50 }, { weight: 100 }],
          guards: [{ name: 'errors', errors: { max: '2%' } }],
          ...rollout,
        },
      } as Spec,
    });
  }

  deploymentOf(version: string, replicas: number): Promise<Stored<Deployment>> {
    return vi.waitFor(() => this.hand.deploymentOf(version, replicas), WITHIN);
  }

  want(name: string, minor: number): Promise<Stored<InferenceService>> {
    return this.under.client.merge(inferenceServices, this.key(name), {
      spec: { model: { version: `1.${minor}.0` } },
    });
  }

  untilCondition(name: string, type: string, status: string, reason: string): Promise<Stored<InferenceService>> {
    return this.under.until(inferenceServices, name, (infs) =>
      expect(infs.status?.conditions?.find((c) => c.type === type)).toMatchObject({ status, reason }),
    );
  }

  /**
   * Waits until the rollout has asked the pods at this weight and heard of no request: what is counted from then on is
   * counted for this step. The condition alone may still be that of the step before.
   */
  blindAt(name: string, weight: number): Promise<Stored<InferenceService>> {
    return this.under.until(inferenceServices, name, ({ status }) => {
      expect(status?.candidate?.weight).toBe(weight);
      const reason = status?.conditions?.find(({ type }) => type === 'RolloutComplete')?.reason;
      expect(reason).toBe('GuardBlind');
    });
  }

  /** Brings up the first version of a service. */
  async firstVersion(
    name: string,
    rollout?: Rollout,
    traffic?: Partial<Spec['traffic']>,
  ): Promise<{ deployment: Stored<Deployment>; counters: Traffic }> {
    await this.modelVersion(name, 0);
    await this.service(name, rollout, undefined, traffic);
    const deployment = await this.deploymentOf('1.0.0', 2);
    const counters = await this.hand.serve(deployment, 2);
    await this.hand.program(name, { [deployment.metadata.name]: 10_000 });
    await this.untilCondition(name, 'Ready', 'True', 'Serving');
    return { deployment, counters };
  }

  /**
   * A service of version 1.0.0 whose candidate 1.1.0 has the pods that its first step needs, and what the first pod of
   * each has served.
   */
  async withCandidate(name: string, rollout?: Rollout, pods = 1, traffic?: Partial<Spec['traffic']>) {
    const stable = await this.firstVersion(name, rollout, traffic);
    await this.modelVersion(name, 1);
    await this.want(name, 1);
    const deployment = await this.deploymentOf('1.1.0', pods);
    const counters = await this.hand.serve(deployment, pods);
    const names = { stable: stable.deployment.metadata.name, candidate: deployment.metadata.name };
    return { names, stable: stable.counters, candidate: counters, deployment };
  }

  annotate(name: string, annotations: Readonly<Record<string, string | null>>): Promise<Stored<InferenceService>> {
    return this.under.client.merge(inferenceServices, this.key(name), { metadata: { annotations } });
  }

  /** Waits until the rollout of a service stands as said. */
  untilCandidate(name: string, candidate: object): Promise<Stored<InferenceService>> {
    return this.under.until(inferenceServices, name, ({ status }) =>
      expect(status?.candidate).toMatchObject(candidate),
    );
  }

  /** One pass of an operator that has just come to lead, and whose cache of services has come no further than `cached`. */
  passOverCached(cached: Stored<InferenceService>, client = this.under.client): Promise<void> {
    return passOverCached(client, this.#controller(), inferenceServices, cached);
  }

  async remove(name: string): Promise<void> {
    const { client, namespace } = this.under;
    await client.delete(inferenceServices, this.key(name));
    for (const deployment of await client.list(deployments, namespace, {})) {
      await this.hand.deletePodsOf(deployment);
      await client.delete(deployments, this.key(deployment.metadata.name));
    }
  }
}
