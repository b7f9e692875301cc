import { ANNOTATIONS, API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { DIGEST } from '../../../test/trainingBuilders.ts';
import { type ModelVersion, modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';
import { sweepController } from './controller.ts';

let under: UnderTest;

beforeAll(async () => {
  under = await runControllers(inject('kubeconfig'), () => [sweepController()]);
});
afterAll(() => under.stop());

const key = (name: string) => ({ namespace: under.namespace, name });

const sweep = (name: string, more: object = {}, spec: object = {}): Promise<Stored<TrainingJob>> =>
  under.client.create(trainingJobs, {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: key(name),
    spec: {
      model: { name },
      image: 'example.com/train:1',
      parameters: { seed: '7' },
      publish: { store: 'pvc://models' },
      sweep: {
        parameters: [{ name: 'epochs', values: ['5', '10', '20'] }],
        parallelism: 2,
        objective: { metric: 'accuracy', goal: 'Maximize' },
        ...more,
      },
      ...spec,
    },
  } as unknown as TrainingJob);

/** What the controller of TrainingJobs writes, under its own field manager. */
const tell = (name: string, status: object) =>
  under.client.applyStatus(
    trainingJobs,
    { apiVersion: API_VERSION, kind: 'TrainingJob', metadata: key(name), status } as never,
    { fieldManager: 'slipway-trainingjob' },
  );
const trained = (name: string, accuracy: string) =>
  tell(name, { phase: 'Trained', acceleratorSeconds: 10, progress: { step: 1, metrics: { accuracy } } });

const reason = (name: string, want: string) =>
  under.until(trainingJobs, name, ({ status }) =>
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe(want),
  );

test('a sweep runs its trials two at a time, publishes the best and keeps the values of all', async () => {
  await sweep('flights');
  const first = await under.until(trainingJobs, 'flights-t0');
  expect(first.spec).toMatchObject({ parameters: { seed: '7', epochs: '5' }, publish: { when: 'Asked' } });
  await under.until(trainingJobs, 'flights-t1');
  await reason('flights', 'Running');
  expect(await under.client.get(trainingJobs, key('flights-t2'))).toBeUndefined();

  await trained('flights-t0', '0.8');
  await under.until(trainingJobs, 'flights-t2');
  await trained('flights-t1', '0.9');
  await under.restart();
  await trained('flights-t2', '0.7');

  const best = await under.until(trainingJobs, 'flights-t1', ({ metadata }) =>
    expect(metadata.annotations?.[ANNOTATIONS.publish]).toBe(metadata.uid),
  );
  const others = ['flights-t0', 'flights-t2'].map((name) => under.client.get(trainingJobs, key(name)));
  for (const other of await Promise.all(others)) expect(other?.metadata.annotations).toBeUndefined();

  await tell(best.metadata.name, {
    phase: 'Succeeded',
    version: '0.1.0',
    modelVersion: 'flights-0.1.0',
    progress: { step: 1, metrics: { accuracy: '0.9' } },
  });
  const done = await reason('flights', 'Succeeded');
  expect(done.status).toMatchObject({ phase: 'Succeeded', version: '0.1.0', modelVersion: 'flights-0.1.0' });
  expect(done.status?.progress).toMatchObject({ step: 3, total: 3, percent: '100%', metrics: { best: '0.9' } });
  expect(done.status?.trials?.map(({ name, value, best: isBest }) => [name, value, isBest])).toEqual([
    ['flights-t0', '0.8', undefined],
    ['flights-t1', '0.9', true],
    ['flights-t2', '0.7', undefined],
  ]);
  await under.untilGone(trainingJobs, 'flights-t0');
  await under.untilGone(trainingJobs, 'flights-t2');
  expect(await under.client.get(trainingJobs, key('flights-t1'))).toBeDefined();
});

test('suspending a sweep suspends the trials that run, and resuming goes on with them', async () => {
  await sweep('delays', { parallelism: 1 });
  await under.until(trainingJobs, 'delays-t0');
  await under.client.merge(trainingJobs, key('delays'), { spec: { suspend: true } });
  await under.until(trainingJobs, 'delays-t0', ({ spec }) => expect(spec.suspend).toBe(true));
  await reason('delays', 'Suspended');
  await under.client.merge(trainingJobs, key('delays'), { spec: { suspend: false } });
  await under.until(trainingJobs, 'delays-t0', ({ spec }) => expect(spec.suspend).toBe(false));
  await reason('delays', 'Running');
});

test('a grid that is too large is refused with its size, and no trial is made', async () => {
  await sweep('large', { trials: 2 });
  const refused = await reason('large', 'SweepInvalid');
  expect(refused.status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
    status: 'True',
    message: expect.stringContaining('3 combinations, and sweep.trials is 2'),
  });
  expect(await under.client.get(trainingJobs, key('large-t0'))).toBeUndefined();
});

test('ttlAfterFinished deletes a sweep once it is over, whether it was trained or refused', async () => {
  await sweep('brief', { parameters: [{ name: 'epochs', values: ['5'] }] }, { ttlAfterFinished: '1s' });
  await under.until(trainingJobs, 'brief-t0');
  await tell('brief-t0', { phase: 'Failed' });
  await sweep('wrong', { trials: 2 }, { ttlAfterFinished: '1s' });
  await under.untilGone(trainingJobs, 'brief');
  await under.untilGone(trainingJobs, 'wrong');
});

test('a trial that the API server refuses fails the sweep with its words', async () => {
  const parameters = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, '1']));
  await sweep('crowded', {}, { parameters });
  const failed = await reason('crowded', 'TrialInvalid');
  expect(failed.status?.phase).toBe('Failed');
  expect(failed.status?.conditions?.find(({ type }) => type === 'Stalled')?.message).toMatch(
    /^No trial can be made: .*spec.parameters: Too many: 101/,
  );
});

test('a trial whose name is in use waits, and the sweep says whose', async () => {
  await sweep('other-t0', { parameters: [{ name: 'epochs', values: ['5'] }] }, { suspend: true });
  await sweep('other');
  const held = await reason('other', 'NameTaken');
  expect(held.status?.conditions?.find(({ type }) => type === 'Reconciling')).toMatchObject({
    status: 'True',
    message: expect.stringContaining('other-t0 exists and does not belong to this TrainingJob'),
  });
});

test('a version that is there already is refused before a trial trains', async () => {
  await under.client.create(modelVersions, {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: key('known-1.0.0'),
    spec: { model: 'known', version: '1.0.0', artifact: { uri: 'pvc://models/a', digest: DIGEST, format: 'ONNX' } },
  } as ModelVersion);
  await sweep('known', {}, { model: { name: 'known', version: '1.0.0' } });
  expect((await reason('known', 'VersionTaken')).status?.phase).toBe('Failed');
  expect(await under.client.get(trainingJobs, key('known-t0'))).toBeUndefined();
});
