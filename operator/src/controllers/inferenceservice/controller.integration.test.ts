import { ANNOTATIONS } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import type { UnderTest } from '../../../test/controllersUnderTest.ts';
import { expectStatus } from '../../../test/expectStatus.ts';
import { gpuNode } from '../../../test/gpuNodes.ts';
import type { HandDrivenServing } from '../../../test/handDrivenServing.ts';
import { digestOf, ServedModels } from '../../../test/servedModels.ts';
import {
  deployments,
  horizontalPodAutoscalers,
  networkPolicies,
  nodes,
  pods,
  secrets,
  services,
} from '../../api/builtin.ts';
import { httpRoutes } from '../../api/gateway.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';

let models: ServedModels;
let under: UnderTest;
let hand: HandDrivenServing;

beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'));
  ({ under, hand } = models);
});
afterAll(() => under.stop());

const phaseOf = (infs: Stored<InferenceService>) => infs.status?.candidate?.phase;

test('a version is made ready, shifted by its evidence and promoted without a restart', async () => {
  const stable = await models.firstVersion('flights');
  const stableName = stable.deployment.metadata.name;

  await models.modelVersion('flights', 1);
  await models.want('flights', 1);
  const candidate = await models.deploymentOf('1.1.0', 1);
  const name = candidate.metadata.name;
  const counted = await hand.serve(candidate, 1);

  await hand.program('flights', { [stableName]: 9500, [name]: 500 });
  await models.blindAt('flights', 5);
  stable.counters.ok += 19_000;
  counted.ok += 1000;

  await hand.program('flights', { [stableName]: 5000, [name]: 5000 });
  await models.blindAt('flights', 50);
  stable.counters.ok += 1000;
  counted.ok += 1000;

  await models.deploymentOf('1.1.0', 2);
  await hand.serve(candidate, 1, 1);
  await hand.program('flights', { [name]: 10_000 });
  await models.blindAt('flights', 100);
  counted.ok += 2000;

  const done = await models.untilCondition('flights', 'RolloutComplete', 'True', 'Complete');
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
  await models.remove('flights');
});

test('argo-cd#9570: a version that fails loses its traffic in one write, and its spec applied again does nothing', async () => {
  const stable = await models.firstVersion('delays');
  const stableName = stable.deployment.metadata.name;
  await models.modelVersion('delays', 2);
  await models.want('delays', 2);
  const candidate = await models.deploymentOf('1.2.0', 1);
  const name = candidate.metadata.name;
  const counted = await hand.serve(candidate, 1);
  const shifted = await hand.program('delays', { [stableName]: 9500, [name]: 500 });
  counted.ok += 70;
  counted.serverError += 30;

  const back = await hand.program('delays', { [stableName]: 10_000 });
  expect(back.metadata.generation).toBe((shifted.metadata.generation ?? 0) + 1);
  const rolledBack = await models.untilCondition('delays', 'Stalled', 'True', 'RolledBack');
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
  await models.deploymentOf('1.0.0', 3);

  await under.client.merge(inferenceServices, key, { metadata: { annotations: { [ANNOTATIONS.retry]: revision } } });
  await models.deploymentOf('1.2.0', 1);
  await models.remove('delays');
});

test('kserve#1859: a first version that can not load is not Ready, and the service says why', async () => {
  await models.modelVersion('broken', 0);
  await models.service('broken');
  const deployment = await models.deploymentOf('1.0.0', 2);
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
  const infs = await models.untilCondition('broken', 'Stalled', 'True', 'ModelInvalid');
  expect(expectStatus(infs)).toMatchObject({ Ready: 'False', Reconciling: 'False' });
  expect(infs.status?.conditions?.[0]?.message).toContain('no graph');
  await models.remove('broken');
});

test('what is missing is named, and nothing is started for it', async () => {
  await models.service('absent');
  const infs = await models.untilCondition('absent', 'Reconciling', 'True', 'ModelVersionMissing');
  expect(expectStatus(infs)).toMatchObject({ Ready: 'False' });
  const all = await under.client.list(deployments, under.namespace, {});
  expect(all.filter(({ metadata }) => metadata.name.startsWith('absent'))).toEqual([]);
  await models.modelVersion('absent', 0);
  await models.deploymentOf('1.0.0', 2);
  await models.remove('absent');
});

test('the objects of a service are guarded and belong to it', async () => {
  const { deployment } = await models.firstVersion('guarded');
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
  await models.remove('guarded');
});

test('kserve#2278: an autoscaler is left alone with the number of pods, and hands it back', async () => {
  const { deployment } = await models.firstVersion('scaled');
  const { name } = deployment.metadata;
  const key = { namespace: under.namespace, name: 'scaled' };
  const scaled = { resources: { requests: { cpu: '1' } }, replicas: { min: 2, max: 6, target: { cpu: 60 } } };
  const replicas = (infs: object) => under.client.merge(inferenceServices, key, { spec: { predictor: infs } });
  await replicas({ replicas: { min: 3 } });
  await models.deploymentOf('1.0.0', 3);

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
  await models.remove('scaled');
});

test('what served comes back as it was when somebody deletes it', async () => {
  const { deployment } = await models.firstVersion('deleted');
  const { name, uid } = deployment.metadata;
  const key = { namespace: under.namespace, name: 'deleted' };
  await under.client.merge(inferenceServices, key, {
    spec: { predictor: { placement: { nodeSelector: { pool: 'b' } } }, model: { version: '1.9.0' } },
  });
  await models.untilCondition('deleted', 'Reconciling', 'True', 'ModelVersionMissing');
  await under.client.delete(deployments, { namespace: under.namespace, name });
  const again = await under.until(deployments, name, ({ metadata }) => expect(metadata.uid).not.toBe(uid));
  expect(again.spec?.template.spec?.nodeSelector).toBeUndefined();
  expect(again.spec?.template.spec?.containers[0]?.env).toEqual(deployment.spec?.template.spec?.containers[0]?.env);
  await models.remove('deleted');
});

test('a token that somebody deletes comes back when a pod waits for it', async () => {
  const { deployment } = await models.firstVersion('tokenless');
  const key = models.key('tokenless-admin');
  await under.client.delete(secrets, key);
  await under.client.delete(pods, models.key(`${deployment.metadata.name}-1`));
  const secret = await under.until(secrets, key.name);
  expect(Buffer.from(secret.data?.['token'] ?? '', 'base64').toString()).toBe('secret');
  await models.remove('tokenless');
});

test('argo-rollouts#1415: an autoscaler takes no pod from the stable version while another comes, and may again when it is gone', async () => {
  await models.modelVersion('warm', 0);
  await models.service(
    'warm',
    {},
    { resources: { requests: { cpu: '1' } }, replicas: { min: 2, max: 6, target: { cpu: 60 } } },
  );
  const deployment = await models.deploymentOf('1.0.0', 1); // its autoscaler, which is not running here, makes it two
  const { name } = deployment.metadata;
  await hand.serve(deployment, 2);
  await hand.program('warm', { [name]: 10_000 });
  await models.untilCondition('warm', 'Ready', 'True', 'Serving');
  const scaleDown = (policy: string) =>
    under.until(horizontalPodAutoscalers, name, ({ spec }) =>
      expect(spec?.behavior?.scaleDown?.selectPolicy ?? 'Max').toBe(policy),
    );
  await scaleDown('Max');
  await models.modelVersion('warm', 1);
  await models.want('warm', 1);
  await scaleDown('Disabled');
  await models.want('warm', 0);
  await scaleDown('Max');
  await models.remove('warm');
});

test('pods that lack accelerators are told how many, and why node by node', async () => {
  const { client, namespace } = under;
  const node = { ...gpuNode({ name: `plain-${namespace}` }) };
  await client.create(nodes, node);
  onTestFinished(() => client.delete(nodes, { namespace: '', name: node.metadata.name }));
  await models.modelVersion('greedy', 0);
  await models.service('greedy', {}, { replicas: { min: 1 }, accelerator: { resource: 'nvidia.com/gpu', count: 2 } });
  const message = '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.';
  const unplaced = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  await hand.podWith(await models.deploymentOf('1.0.0', 1), { phase: 'Pending', conditions: [unplaced] });
  const told = await models.untilCondition('greedy', 'Reconciling', 'True', 'InsufficientAccelerator');
  await under.until(inferenceServices, 'greedy', ({ status }) =>
    expect(status?.conditions?.find(({ type }) => type === 'Reconciling')?.message).toMatch(
      /2 more nvidia\.com\/gpu are needed: 1 pod waits for 2 each, .*\(0 of \d+ nodes?: .*nvidia\.com\/gpu.*\)\. Free some/,
    ),
  );
  expect(expectStatus(told)).toMatchObject({ Stalled: 'False' });
  await models.remove('greedy');
});
