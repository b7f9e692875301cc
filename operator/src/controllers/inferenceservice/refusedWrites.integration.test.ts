import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ServedModels } from '../../../test/servedModels.ts';
import { horizontalPodAutoscalers, networkPolicies } from '../../api/builtin.ts';

let models: ServedModels;

beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'));
});
afterAll(() => models.under.stop());

test('a rollback is written down with its route, whatever else can not be made', async () => {
  const { names, candidate } = await models.withCandidate('squatted');
  await models.hand.program('squatted', { [names.stable]: 9500, [names.candidate]: 500 });
  await models.blindAt('squatted', 5);
  const policy = models.key('squatted-predictor');
  await models.under.client.merge(networkPolicies, policy, { metadata: { ownerReferences: null } });
  await models.untilCondition('squatted', 'Reconciling', 'True', 'NameTaken');

  candidate.ok += 70;
  candidate.serverError += 30;
  await models.hand.program('squatted', { [names.stable]: 10_000 });
  const back = await models.untilCandidate('squatted', { phase: 'RollingBack', weight: 0 });
  expect(back.status?.rejected?.[0]).toMatchObject({ version: '1.1.0', reason: 'GuardFailed' });

  await models.under.client.delete(networkPolicies, policy);
  await models.untilCondition('squatted', 'Stalled', 'True', 'RolledBack');
  await models.remove('squatted');
});

test('what the API server refuses is told in its words, and keeps no faulty version in traffic', async () => {
  const env = [{ name: 'NO=NAME', value: 'x' }];
  const { names, candidate } = await models.withCandidate('refused', {
    guards: [
      { name: 'errors', errors: { max: '2%' } },
      { name: 'smoke', job: { image: 'example.com/smoke:1', env, timeout: '5m' } },
    ] as never,
  });
  await models.hand.program('refused', { [names.stable]: 9500, [names.candidate]: 500 });
  const told = await models.untilCondition('refused', 'Stalled', 'True', 'WriteRefused');
  expect(told.status?.conditions?.find(({ type }) => type === 'Stalled')?.message).toMatch(/NO=NAME/);

  candidate.ok += 70;
  candidate.serverError += 30;
  await models.hand.program('refused', { [names.stable]: 10_000 });
  await models.untilCondition('refused', 'Stalled', 'True', 'RolledBack');
  await models.remove('refused');
});

test('the only pod gives its place away and comes back, autoscaled or not', async () => {
  const name = 'alone';
  const { under, hand } = models;
  await models.modelVersion(name, 0);
  await models.service(
    name,
    { surge: 'Never', steps: [{ weight: 100 }] },
    { resources: { requests: { cpu: '1' } }, replicas: { min: 1, max: 3, target: { cpu: 60 } } },
  );
  const stable = await models.deploymentOf('1.0.0', 1);
  await hand.serve(stable, 1);
  await hand.program(name, { [stable.metadata.name]: 10_000 });
  await models.untilCondition(name, 'Ready', 'True', 'Serving');

  await models.modelVersion(name, 1);
  await models.want(name, 1);
  await models.deploymentOf('1.1.0', 1);
  await models.deploymentOf('1.0.0', 0);
  await under.untilGone(horizontalPodAutoscalers, stable.metadata.name);

  // An autoscaler leaves a Deployment at 0 alone: the pods must be asked for before it takes over.
  await models.want(name, 0);
  await models.deploymentOf('1.0.0', 1);
  await under.until(horizontalPodAutoscalers, stable.metadata.name);
  await models.remove(name);
});
