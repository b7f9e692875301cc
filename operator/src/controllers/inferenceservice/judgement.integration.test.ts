import { ANNOTATIONS } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { UnderTest } from '../../../test/controllersUnderTest.ts';
import { startKubelet } from '../../../test/handDrivenKubelet.ts';
import { digestOf, ServedModels } from '../../../test/servedModels.ts';
import { deployments, type Job, jobs, pods } from '../../api/builtin.ts';
import { httpRoutes } from '../../api/gateway.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';

let models: ServedModels;
let under: UnderTest;
const WITHIN = { timeout: 20_000, interval: 25 };

beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'));
  under = models.under;
});
afterEach(async () => {
  for (const { metadata } of await under.client.list(inferenceServices, under.namespace))
    await models.remove(metadata.name);
  for (const job of await under.client.list(jobs, under.namespace)) await under.client.delete(jobs, keyOf(job));
});
afterAll(() => under.stop());

type Rollout = Partial<InferenceService['spec']['rollout']>;
const guards = (...all: readonly object[]) => all as unknown as NonNullable<Rollout['guards']>;
const STEPS = [{ weight: 10 }, { weight: 100 }];

const rejectionOf = ({ status }: InferenceService) => status?.rejected?.[0];
const guardOf = ({ status }: InferenceService, name: string) =>
  status?.candidate?.guards?.find((guard) => guard.name === name);
const reasonsOf = ({ status }: InferenceService) => status?.history?.map(({ reason }) => reason) ?? [];
const toldOf = (name: string, say: (infs: Stored<InferenceService>) => void) =>
  under.until(inferenceServices, name, say);

/** The candidate of a service gets 10 % of the requests, and neither version has answered any. */
async function canary(name: string, rollout: Rollout, traffic?: Parameters<ServedModels['withCandidate']>[3]) {
  const made = await models.withCandidate(name, { steps: STEPS, ...rollout }, 1, traffic);
  await models.hand.program(name, { [made.names.stable]: 9000, [made.names.candidate]: 1000 });
  await models.untilCandidate(name, { phase: 'Shifting', weight: 10 });
  return made;
}

/** Waits for the rollback, and has the gateway take it. */
async function rolledBack(name: string, stable: string): Promise<Stored<InferenceService>> {
  await models.hand.program(name, { [stable]: 10_000 });
  return models.untilCondition(name, 'Stalled', 'True', 'RolledBack');
}

describe('what the model itself says', () => {
  test('answers that differ in shadow reject a version before any user saw it', async () => {
    const rollout = {
      steps: [{ shadow: 50 }, ...STEPS],
      guards: guards({ name: 'answers', disagreement: { max: '2%', segment: 'country' } }),
    };
    const { names, stable } = await models.withCandidate('shadowed', rollout);
    const live = await models.hand.program('shadowed', { [names.stable]: 10_000 });
    await models.untilCandidate('shadowed', { phase: 'Shadowing', shadow: 50, weight: 0 });
    await vi.waitFor(() => expect(stable.told?.shadow).toMatchObject({ percent: 50, segment: 'country' }), WITHIN);
    expect(stable.told?.shadow?.target).toMatch(/^http:\/\/[0-9.]+:80$/);

    stable.each = { compared: 10, disagreed: 3 };
    const back = await models.untilCondition('shadowed', 'Stalled', 'True', 'RolledBack');
    expect(rejectionOf(back)).toMatchObject({ version: '1.1.0', reason: 'GuardFailed' });
    expect(rejectionOf(back)?.message).toMatch(/answers.*30%/);
    expect(reasonsOf(back)).not.toContain('WeightChanged');
    const route = await under.until(httpRoutes, 'shadowed');
    expect(route.metadata.generation).toBe(live.metadata.generation);
    await vi.waitFor(() => expect(stable.told?.shadow).toBeNull(), WITHIN);
  });

  test.each([
    ['latency alone', 'slowed', { latency: { threshold: '60ms', quantile: 95 } }, { slow: 3 }],
    ['answers of NaN', 'invalid', { invalidOutputs: { max: '1%' } }, { invalid: 2 }],
    ['late labels', 'labelled', { accuracy: { min: '80%' } }, { right: 1, wrong: 3 }],
  ])('%s takes a version back', async (_what, name, guard, fault) => {
    const { names, stable, candidate } = await canary(name, { guards: guards({ name: 'own', ...guard }) });
    stable.each = { ok: 90, right: 10 };
    candidate.each = { ok: 10, ...fault };
    const back = await rolledBack(name, names.stable);
    expect(rejectionOf(back)?.message).toMatch(/own/);
  });

  test('predictions that shifted without one error take a version back', async () => {
    models.hand.predictionBins = 3;
    const { names, stable, candidate } = await canary('drifting', {
      guards: guards({ name: 'scores', predictionShift: { psi: '0.2' } }),
    });
    models.hand.predictionBins = 0;
    await toldOf('drifting', (seen) => expect(guardOf(seen, 'scores')).toBeDefined());
    stable.predictions = [0, 0, 3000];
    const { polls } = stable;
    await vi.waitFor(() => expect(stable.polls).toBeGreaterThan(polls + 1), WITHIN);
    // What the stable version predicted before the candidate did came from other traffic, and counts on neither side.
    Object.assign(candidate, { ok: 1000, predictions: [900, 50, 50] });
    Object.assign(stable, { ok: 9000, predictions: [3000, 3000, 6000] });
    const back = await rolledBack('drifting', names.stable);
    expect(rejectionOf(back)?.message).toMatch(/scores/);
  });
});

test('a guard in doubt has stable copy requests to the candidate, and what these show takes it back', async () => {
  const { names, stable, candidate } = await canary('doubted', {
    guards: guards({ name: 'errors', errors: { max: '1%' } }),
  });
  candidate.takesCopies = true;
  Object.assign(stable, { ok: 9000 });
  stable.each = { ok: 20 };
  Object.assign(candidate, { ok: 5, serverError: 2 });
  const asked = await toldOf('doubted', (seen) => expect(seen.status?.candidate?.secondOpinion).toBeDefined());
  expect(asked.status?.candidate?.secondOpinion).toMatchObject({ guard: 'errors', asked: 1 });
  await vi.waitFor(() => expect(stable.told?.shadow).toMatchObject({ expiresInSeconds: 3 }), WITHIN);
  expect(stable.told?.shadow?.id).toMatch(/^second-opinion\//);
  expect(candidate.told?.shadow).toBeNull();
  expect(asked.status?.candidate).toMatchObject({ phase: 'Shifting', weight: 10 });

  candidate.each = { copies: 7, copiesFailed: 3 };
  const back = await rolledBack('doubted', names.stable);
  expect(rejectionOf(back)).toMatchObject({ version: '1.1.0', reason: 'GuardFailed' });
  expect(back.status?.candidate?.secondOpinion).toBeUndefined();
  await vi.waitFor(() => expect(stable.told?.shadow).toBeNull(), WITHIN);
});

describe('what can not be seen', () => {
  test('argo-rollouts#1905: a Prometheus that is down holds the weight, and says why', async () => {
    const { names, stable, candidate } = await canary('blinded', {
      guards: guards({
        name: 'revenue',
        prometheus: { server: 'http://127.0.0.1:1', bad: 'lost', total: 'all', max: '3%', interval: '1s' },
      }),
    });
    stable.each = { ok: 90 };
    candidate.each = { ok: 10 };
    const infs = await toldOf('blinded', (seen) => expect(guardOf(seen, 'revenue')?.message).toMatch(/ECONNREFUSED/));
    expect(guardOf(infs, 'revenue')?.verdict).toBe('Blind');
    expect(infs.status?.candidate).toMatchObject({ phase: 'Shifting', weight: 10 });
    expect(rejectionOf(infs)).toBeUndefined();
    const route = await under.until(httpRoutes, 'blinded');
    expect(route.spec.rules[0]?.backendRefs.map((b) => b.weight)).toEqual([9000, 1000]);
    expect(names.candidate).toBe(route.spec.rules[0]?.backendRefs[1]?.name);
  });

  test('pods that can not be read hold the weight, whatever they counted before', async () => {
    const { stable, candidate } = await canary('unread', { guards: guards({ name: 'errors', errors: { max: '2%' } }) });
    await models.blindAt('unread', 10);
    candidate.silent = true;
    stable.silent = true;
    Object.assign(candidate, { ok: 10_000 });
    const infs = await toldOf('unread', (seen) =>
      expect(guardOf(seen, 'errors')?.message).toMatch(/0 of 1 ready pods|0 of 1/),
    );
    expect(infs.status?.candidate).toMatchObject({ phase: 'Shifting', weight: 10 });
  });
});

describe('people', () => {
  const passing = { guards: guards({ name: 'errors', errors: { max: '2%' } }) };

  test('pause a rollout, go on, and abort it by name', async () => {
    const { names } = await canary('steered', passing);
    await models.annotate('steered', { [ANNOTATIONS.pause]: 'true' });
    const paused = await models.untilCondition('steered', 'Paused', 'True', 'PausedByPerson');
    expect(paused.status?.candidate).toMatchObject({ phase: 'Shifting', weight: 10 });
    await models.annotate('steered', {
      [ANNOTATIONS.pause]: null,
      [ANNOTATIONS.abort]: paused.status?.rolloutID ?? '',
    });
    const back = await rolledBack('steered', names.stable);
    expect(rejectionOf(back)).toMatchObject({ version: '1.1.0', digest: digestOf(1) });
  });

  test('promote a rollout past its steps, and have the version before again', async () => {
    const { names, deployment } = await canary('promoted', passing);
    const { status } = await toldOf('promoted', () => undefined);
    await models.annotate('promoted', { [ANNOTATIONS.promote]: status?.rolloutID ?? '' });
    await models.deploymentOf('1.1.0', 2);
    await models.hand.serve(deployment, 1, 1);
    await models.hand.program('promoted', { [names.candidate]: 10_000 });
    const done = await models.untilCondition('promoted', 'RolloutComplete', 'True', 'Complete');
    expect(done.status?.stable?.version).toBe('1.1.0');
    expect(done.status?.previous?.version).toBe('1.0.0');
    await under.untilGone(deployments, names.stable);
    await models.hand.deletePodsOf({ metadata: { name: names.stable } });

    await models.annotate('promoted', { [ANNOTATIONS.rollback]: done.status?.stable?.rolloutID ?? '' });
    // Its pods are long gone: they come back from what its ModelVersion and the predictor say.
    const before = await models.deploymentOf('1.0.0', 2);
    await models.hand.serve(before, 2);
    await models.hand.program('promoted', { [before.metadata.name]: 10_000 });
    const back = await toldOf('promoted', (seen) => expect(seen.status?.stable?.version).toBe('1.0.0'));
    expect(rejectionOf(back)?.version).toBe('1.1.0');
  });

  test('approve a step by name, digest and number; anything else does not count', async () => {
    const { names, stable, candidate } = await canary('approved', {
      ...passing,
      steps: [{ weight: 10 }, { approval: true }, { weight: 50 }, { weight: 100 }],
    });
    stable.each = { ok: 900 };
    candidate.each = { ok: 100 };
    const waiting = await models.untilCandidate('approved', { awaitingApproval: true, step: 1, weight: 10 });
    const approval = { step: 1, digest: digestOf(1), by: 'ada', at: rfc3339(new Date()) };
    const approve = (approvals: readonly object[]) =>
      under.client.merge(inferenceServices, models.key('approved'), { spec: { approvals } });
    const old = { ...approval, rolloutID: 'another' };
    await approve([old]);
    const still = await toldOf('approved', ({ metadata, status }) =>
      expect(status?.observedGeneration).toBe(metadata.generation),
    );
    expect(still.status?.candidate).toMatchObject({ awaitingApproval: true, weight: 10 });
    await approve([old, { ...approval, rolloutID: waiting.status?.rolloutID }]);
    await models.hand.program('approved', { [names.stable]: 5000, [names.candidate]: 5000 });
    await models.untilCandidate('approved', { weight: 50, step: 2 });
  });
});

test('blue/green: a preview gets who asks for it, one switch everybody, and the old version stays for the bake', async () => {
  const rollout = { steps: [{ preview: true, for: '1s' }, { weight: 100 }], guards: guards(), bake: '1h' };
  const { names, candidate } = await models.withCandidate('bluegreen', rollout, 2);
  await models.untilCandidate('bluegreen', { phase: 'Previewing' });
  const route = await under.until(httpRoutes, 'bluegreen', ({ spec }) => expect(spec.rules.length).toBeGreaterThan(1));
  const preview = route.spec.rules.find(({ matches }) => matches.some(({ headers }) => headers !== undefined));
  expect(preview?.matches[0]?.headers).toEqual([{ type: 'Exact', name: 'slipway-preview', value: 'candidate' }]);
  expect(preview?.backendRefs.map(({ name }) => name)).toEqual([names.candidate]);
  await models.hand.accept('bluegreen');
  await vi.waitFor(async () => {
    const { spec } = await under.until(httpRoutes, 'bluegreen');
    expect(spec.rules[0]?.backendRefs).toMatchObject([{ name: names.candidate, weight: 10_000 }]);
  }, WITHIN);
  await models.hand.accept('bluegreen');
  candidate.each = { ok: 50 };
  const baking = await models.untilCandidate('bluegreen', { phase: 'Baking', weight: 100 });
  expect(baking.status?.stable?.version).toBe('1.0.0');
  await models.deploymentOf('1.0.0', 2);
});

test('users stay with their version while a rollout goes on, and are let go with it', async () => {
  const traffic = { sessionKey: { header: 'x-user-id' } };
  const { names, stable, candidate } = await canary(
    'sticky',
    { guards: guards({ name: 'errors', errors: { max: '2%' } }) },
    traffic,
  );
  const orders = await vi.waitFor(() => {
    const both = [stable.told?.session, candidate.told?.session];
    expect(both).toMatchObject([
      { arm: 'stable', share: 1000, header: 'x-user-id' },
      { arm: 'candidate', share: 1000 },
    ]);
    return both;
  }, WITHIN);
  expect(orders[0]?.salt).toBe(orders[1]?.salt);
  expect(orders[0]?.other).not.toBe(orders[1]?.other);
  stable.each = { ok: 90 };
  candidate.each = { ok: 7, serverError: 3 };
  await rolledBack('sticky', names.stable);
  await vi.waitFor(() => expect(stable.told?.session).toBeNull(), WITHIN);
});

describe('a test of the user', () => {
  const finish = async (
    job: Stored<Job>,
    how: 'Complete' | 'Failed',
    exitCode: number,
    nodeName?: string,
  ): Promise<void> => {
    const { client, namespace } = under;
    const { metadata, spec } = job.spec?.template ?? {};
    const labels = { ...metadata?.labels, 'batch.kubernetes.io/controller-uid': job.metadata.uid };
    const pod = await client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${job.metadata.name}-0`, namespace, labels },
      ...(spec === undefined ? {} : { spec: { ...spec, ...(nodeName === undefined ? {} : { nodeName }) } }),
    });
    const terminated = { exitCode, finishedAt: rfc3339(new Date()) };
    await models.hand.podIs(pod, {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [
        { name: 'test', image: 'x', imageID: '', ready: false, restartCount: 0, state: { terminated } },
      ],
    } as never);
    const now = rfc3339(new Date());
    const before = how === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    const conditions = [before, how].map((type) => ({
      type,
      status: 'True',
      reason: how === 'Failed' ? 'BackoffLimitExceeded' : '',
      message: 'ended',
      lastProbeTime: now,
      lastTransitionTime: now,
    }));
    const counted = how === 'Complete' ? { succeeded: 1, completionTime: now } : { failed: 1 };
    const status = { startTime: now, conditions, uncountedTerminatedPods: {}, ...counted };
    const { apiVersion, kind } = job;
    const told = { apiVersion, kind, metadata: keyOf(job), status };
    await client.applyStatus(jobs, told as unknown as Job, { fieldManager: 'job-controller' });
  };
  const smoke = guards({ name: 'smoke', job: { image: 'example.com/smoke:1', timeout: '5m' } });
  const testOf = (name: string): Promise<Stored<Job>> =>
    vi.waitFor(async () => {
      const own = (await under.client.list(jobs, under.namespace, {})).filter(
        ({ metadata }) => metadata.labels?.['slipway.dev/inference-service'] === name,
      );
      expect(own).toHaveLength(1);
      return own[0] as Stored<Job>;
    }, WITHIN);

  test('runs once in a step, whoever deletes its Job, and its exit code takes a version back', async () => {
    const { names } = await canary('tested', { guards: smoke });
    const job = await testOf('tested');
    expect(job.spec?.template.spec?.containers[0]?.env).toContainEqual({
      name: 'SLIPWAY_CANDIDATE_URL',
      value: `http://${names.candidate}.${under.namespace}.svc`,
    });
    await finish(job, 'Failed', 3);
    const back = await rolledBack('tested', names.stable);
    expect(rejectionOf(back)?.message).toMatch(/smoke.*exit code 3/);
    // A person reads its log now; it goes with the next rollout.
    expect(await under.client.get(jobs, keyOf(job))).toBeDefined();
    await models.want('tested', 0);
    await under.untilGone(jobs, job.metadata.name);
  });

  test('that prints a rate is judged by it: the log of its pod is read through the API server', async () => {
    const kubelet = await startKubelet(under.client);
    try {
      const { names } = await canary('printed', {
        guards: guards({ name: 'smoke', job: { image: 'example.com/smoke:1', timeout: '5m', max: '2%' } }),
      });
      const job = await testOf('printed');
      kubelet.wrote(`${job.metadata.name}-0`, 'asking 500 questions\n{"bad": 100, "total": 500}\n');
      await finish(job, 'Complete', 0, kubelet.node);
      const back = await rolledBack('printed', names.stable);
      expect(rejectionOf(back)?.message).toMatch(/smoke failed: 20% of 500/);
    } finally {
      await kubelet.stop();
    }
  });

  test('argo-rollouts#926: that has passed is not run again when its Job is gone', async () => {
    const passing = [{ weight: 10, for: '1h' }, { weight: 100 }];
    await canary('retested', { guards: smoke, steps: passing as never });
    const job = await testOf('retested');
    await finish(job, 'Complete', 0);
    await toldOf('retested', (seen) => expect(guardOf(seen, 'smoke')?.verdict).toBe('Pass'));
    await under.client.delete(jobs, keyOf(job), { propagation: 'Background' });
    await under.untilGone(jobs, job.metadata.name);
    const touched = await models.annotate('retested', { touched: 'again' });
    expect(touched.metadata.uid).toBeDefined();
    const after = await toldOf('retested', (seen) => expect(guardOf(seen, 'smoke')?.verdict).toBe('Pass'));
    expect(after.status?.candidate?.step).toBe(0);
    const now = await under.client.get(jobs, keyOf(job));
    expect(now === undefined || now.metadata.deletionTimestamp !== undefined).toBe(true);
  });
});
