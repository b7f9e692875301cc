import { ANNOTATIONS, API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { expectStatus } from '../../../test/expectStatus.ts';
import { installGatewayApi } from '../../../test/gatewayApiDefinitions.ts';
import { HandDrivenServing } from '../../../test/handDrivenServing.ts';
import { deployments, horizontalPodAutoscalers, networkPolicies, secrets, services } from '../../api/builtin.ts';
import { httpRoutes } from '../../api/gateway.ts';
import { type InferenceService, inferenceServices, modelVersions } from '../../api/kinds.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import type { Stored } from '../../kube/wire.ts';
import { inferenceServiceController } from './controller.ts';

const WITHIN = { timeout: 20_000, interval: 25 };
const digestOf = (minor: number): string => `sha256:${String(minor).repeat(64)}`;

let under: UnderTest;
let hand: HandDrivenServing;

beforeAll(async () => {
  await installGatewayApi(inject('kubeconfig'));
  under = await runControllers(inject('kubeconfig'), (config) => [
    inferenceServiceController(
      { ...config, guardPeriodMs: 100 },
      { fetchText: (...ask) => hand.fetchText(...ask), newToken: () => 'secret' },
    ),
  ]);
  hand = new HandDrivenServing(under);
  await hand.gateway('public');
});
afterAll(() => under.stop());

async function modelVersion(model: string, minor: number): Promise<void> {
  const metadata = { name: `${model}-1.${minor}.0`, namespace: under.namespace };
  const base = { apiVersion: API_VERSION, kind: 'ModelVersion', metadata };
  const artifact = { uri: `pvc://models/${model}/${minor}`, digest: digestOf(minor), format: 'ONNX' as const };
  const made = await under.client.create(modelVersions, {
    ...base,
    spec: { model, version: `1.${minor}.0`, artifact },
  });
  const ready = {
    type: 'Ready',
    status: 'True' as const,
    reason: 'Ready',
    message: 'ok',
    observedGeneration: made.metadata.generation ?? 1,
    lastTransitionTime: rfc3339(new Date()),
  };
  await under.client.applyStatus(modelVersions, { ...base, status: { conditions: [ready] } } as never, {
    fieldManager: 'test',
  });
}

const service = (name: string, rollout: Partial<InferenceService['spec']['rollout']> = {}) =>
  under.client.create(inferenceServices, {
    apiVersion: API_VERSION,
    kind: 'InferenceService',
    metadata: { name, namespace: under.namespace },
    spec: {
      model: { name, version: '1.0.0' },
      predictor: { replicas: { min: 2 } },
      traffic: { gateway: { name: 'public' }, pathPrefix: `/${name}` },
      rollout: {
        steps: [{ weight: 5 }, { weight: 50 }, { weight: 100 }],
        guards: [{ name: 'errors', errors: { max: '2%' } }],
        ...rollout,
      },
    } as InferenceService['spec'],
  });

const deploymentOf = (version: string, replicas: number) =>
  vi.waitFor(() => hand.deploymentOf(version, replicas), WITHIN);
const want = (name: string, minor: number) =>
  under.client.merge(
    inferenceServices,
    { namespace: under.namespace, name },
    { spec: { model: { version: `1.${minor}.0` } } },
  );
const untilCondition = (name: string, type: string, status: string, reason: string) =>
  under.until(inferenceServices, name, (infs) =>
    expect(infs.status?.conditions?.find((c) => c.type === type)).toMatchObject({ status, reason }),
  );
const phaseOf = (infs: Stored<InferenceService>) => infs.status?.candidate?.phase;

/** Brings up the first version of a service. */
async function firstVersion(name: string, rollout?: Partial<InferenceService['spec']['rollout']>) {
  await modelVersion(name, 0);
  await service(name, rollout);
  const deployment = await deploymentOf('1.0.0', 2);
  const counters = await hand.serve(deployment, 2);
  await hand.program(name, { [deployment.metadata.name]: 10_000 });
  await untilCondition(name, 'Ready', 'True', 'Serving');
  return { deployment, counters };
}

async function removeService(name: string): Promise<void> {
  await under.client.delete(inferenceServices, { namespace: under.namespace, name });
  for (const deployment of await under.client.list(deployments, under.namespace, {})) {
    await hand.deletePodsOf(deployment);
    await under.client.delete(deployments, { namespace: under.namespace, name: deployment.metadata.name });
  }
}

test('a version is made ready, shifted by its evidence and promoted without a restart', async () => {
  const stable = await firstVersion('flights');
  const stableName = stable.deployment.metadata.name;

  await modelVersion('flights', 1);
  await want('flights', 1);
  const candidate = await deploymentOf('1.1.0', 1);
  const name = candidate.metadata.name;
  const counted = await hand.serve(candidate, 1);

  await hand.program('flights', { [stableName]: 9500, [name]: 500 });
  await untilCondition('flights', 'RolloutComplete', 'False', 'GuardBlind');
  stable.counters.ok += 19_000;
  counted.ok += 1000;

  await hand.program('flights', { [stableName]: 5000, [name]: 5000 });
  await untilCondition('flights', 'RolloutComplete', 'False', 'GuardBlind');
  stable.counters.ok += 1000;
  counted.ok += 1000;

  await deploymentOf('1.1.0', 2);
  await hand.serve(candidate, 1, 1);
  await hand.program('flights', { [name]: 10_000 });
  await untilCondition('flights', 'RolloutComplete', 'False', 'GuardBlind');
  counted.ok += 2000;

  const done = await untilCondition('flights', 'RolloutComplete', 'True', 'Complete');
  expect(expectStatus(done)).toMatchObject({ Ready: 'True', Reconciling: 'False', Stalled: 'False' });
  expect(done.status?.stable).toMatchObject({ version: '1.1.0', digest: digestOf(1) });
  await under.untilGone(deployments, stableName);
  await under.untilGone(services, stableName);
  const after = await under.client.get(deployments, { namespace: under.namespace, name });
  expect(after?.metadata.uid).toBe(candidate.metadata.uid);
  expect(after?.metadata.generation).toBe(2); // the scale from 1 to 2, and nothing of its template
  expect(done.status?.history?.map(({ reason }) => reason)).toEqual([
    'RolloutStarted',
    'Promoted',
    'RolloutStarted',
    'WeightChanged',
    'WeightChanged',
    'WeightChanged',
    'BakeStarted',
    'Promoted',
  ]);
  await removeService('flights');
});

test('a version that fails loses its traffic in one write, and its spec applied again does nothing', async () => {
  const stable = await firstVersion('delays');
  const stableName = stable.deployment.metadata.name;
  await modelVersion('delays', 2);
  await want('delays', 2);
  const candidate = await deploymentOf('1.2.0', 1);
  const name = candidate.metadata.name;
  const counted = await hand.serve(candidate, 1);
  const shifted = await hand.program('delays', { [stableName]: 9500, [name]: 500 });
  counted.ok += 70;
  counted.serverError += 30;

  const back = await hand.program('delays', { [stableName]: 10_000 });
  expect(back.metadata.generation).toBe((shifted.metadata.generation ?? 0) + 1);
  const rolledBack = await untilCondition('delays', 'Stalled', 'True', 'RolledBack');
  expect(expectStatus(rolledBack)).toMatchObject({ Ready: 'True', Reconciling: 'False', RolloutComplete: 'False' });
  expect(rolledBack.status?.rejected?.[0]).toMatchObject({
    version: '1.2.0',
    digest: digestOf(2),
    reason: 'GuardFailed',
  });
  expect(rolledBack.status?.rejected?.[0]?.message).toMatch(/^Guard errors failed: 30% of 100 requests/);
  await under.untilGone(deployments, name);
  expect(await under.client.get(deployments, { namespace: under.namespace, name: stableName })).toBeDefined();

  const { revision = '' } = rolledBack.status?.rejected?.[0] ?? {};
  const key = { namespace: under.namespace, name: 'delays' };
  const touched = await under.client.merge(inferenceServices, key, { spec: { predictor: { replicas: { min: 3 } } } });
  const still = await under.until(inferenceServices, 'delays', ({ status }) =>
    expect(status?.observedGeneration).toBe(touched.metadata.generation),
  );
  expect(phaseOf(still)).toBe('RolledBack');
  await deploymentOf('1.0.0', 3);

  await under.client.merge(inferenceServices, key, { metadata: { annotations: { [ANNOTATIONS.retry]: revision } } });
  await deploymentOf('1.2.0', 1);
  await removeService('delays');
});

test('a first version that can not load leaves a service that says why', async () => {
  await modelVersion('broken', 0);
  await service('broken');
  const deployment = await deploymentOf('1.0.0', 2);
  const message = JSON.stringify({ schema: 'slipway.dev/termination/v1', reason: 'ModelInvalid', message: 'no graph' });
  await hand.podWith(deployment, {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'server',
        image: 'x',
        imageID: '',
        ready: false,
        restartCount: 2,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 1, message } },
      },
    ],
  });
  const infs = await untilCondition('broken', 'Stalled', 'True', 'ModelInvalid');
  expect(expectStatus(infs)).toMatchObject({ Ready: 'False', Reconciling: 'False' });
  expect(infs.status?.conditions?.[0]?.message).toContain('no graph');
  await removeService('broken');
});

test('what is missing is named, and nothing is started for it', async () => {
  await service('absent');
  const infs = await untilCondition('absent', 'Reconciling', 'True', 'ModelVersionMissing');
  expect(expectStatus(infs)).toMatchObject({ Ready: 'False' });
  expect(await under.client.list(deployments, under.namespace, {})).toEqual([]);
  await modelVersion('absent', 0);
  await deploymentOf('1.0.0', 2);
  await removeService('absent');
});

test('the objects of a service are guarded and belong to it', async () => {
  const { deployment } = await firstVersion('guarded');
  const { namespace } = under;
  const owner = expect.objectContaining({ kind: 'InferenceService', name: 'guarded', controller: true });
  const secret = await under.until(secrets, 'guarded-admin');
  expect(Buffer.from(secret.data?.['token'] ?? '', 'base64').toString()).toBe('secret');
  const policy = await under.until(networkPolicies, 'guarded-predictor');
  expect(policy.spec?.ingress).toHaveLength(2);
  expect(policy.spec?.ingress?.[1]).toMatchObject({ from: [{ namespaceSelector: expect.anything() }] });
  const route = await under.until(httpRoutes, 'guarded');
  expect(route.spec.rules[0]?.filters?.[0]).toMatchObject({
    urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
  });
  const found = await under.client.get(services, { namespace, name: deployment.metadata.name });
  for (const child of [secret, policy, route, found, deployment]) {
    expect(child?.metadata.ownerReferences).toEqual([owner]);
  }
  await removeService('guarded');
});

test('an autoscaler is left alone with the number of pods, and hands it back', async () => {
  const { deployment } = await firstVersion('scaled');
  const { name } = deployment.metadata;
  const key = { namespace: under.namespace, name: 'scaled' };
  const scaled = { resources: { requests: { cpu: '1' } }, replicas: { min: 2, max: 6, target: { cpu: 60 } } };
  const replicas = (infs: object) => under.client.merge(inferenceServices, key, { spec: { predictor: infs } });
  await replicas({ replicas: { min: 3 } });
  await deploymentOf('1.0.0', 3);

  // A request for CPU is a new revision; the autoscaler of the one that serves comes at once.
  await replicas(scaled);
  const hpa = await under.until(horizontalPodAutoscalers, name);
  expect(hpa.spec).toMatchObject({ minReplicas: 2, maxReplicas: 6, scaleTargetRef: { name } });
  expect((await under.until(deployments, name)).spec?.replicas).toBe(3);
  await under.client.merge(deployments, { namespace: under.namespace, name }, { spec: { replicas: 5 } });
  const touched = await replicas({ replicas: { min: 2, max: 7, target: { cpu: 60 } } });
  await under.until(inferenceServices, 'scaled', ({ status }) =>
    expect(status?.observedGeneration).toBe(touched.metadata.generation),
  );
  await under.until(horizontalPodAutoscalers, name, ({ spec }) => expect(spec?.maxReplicas).toBe(7));
  expect((await under.until(deployments, name)).spec?.replicas).toBe(5);

  await replicas({ replicas: { min: 2, max: null, target: null } });
  await under.untilGone(horizontalPodAutoscalers, name);
  await under.until(deployments, name, ({ spec }) => expect(spec?.replicas).toBe(2));
  await removeService('scaled');
});

test('what served comes back as it was when somebody deletes it', async () => {
  const { deployment } = await firstVersion('deleted');
  const { name, uid } = deployment.metadata;
  const key = { namespace: under.namespace, name: 'deleted' };
  await under.client.merge(inferenceServices, key, {
    spec: { predictor: { placement: { nodeSelector: { pool: 'b' } } }, model: { version: '1.9.0' } },
  });
  await untilCondition('deleted', 'Reconciling', 'True', 'ModelVersionMissing');
  await under.client.delete(deployments, { namespace: under.namespace, name });
  const again = await under.until(deployments, name, ({ metadata }) => expect(metadata.uid).not.toBe(uid));
  expect(again.spec?.template.spec?.nodeSelector).toBeUndefined();
  expect(again.spec?.template.spec?.containers[0]?.env).toEqual(deployment.spec?.template.spec?.containers[0]?.env);
  await removeService('deleted');
});
