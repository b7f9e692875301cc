import { ANNOTATIONS, API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { DIGEST } from '../../../test/trainingBuilders.ts';
import {
  type InferenceService,
  inferenceServices,
  type ModelVersion,
  modelVersions,
  type TrainingJob,
  trainingJobs,
} from '../../api/kinds.ts';
import { events } from '../../kube/events.ts';
import type { Stored } from '../../kube/wire.ts';
import { retrainController } from './controller.ts';

let under: UnderTest;

beforeAll(async () => {
  under = await runControllers(inject('kubeconfig'), () => [retrainController()]);
});
afterAll(() => under.stop());

const key = (name: string) => ({ namespace: under.namespace, name });

const pattern = (name: string, model: string): Promise<Stored<TrainingJob>> =>
  under.client.create(trainingJobs, {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: key(name),
    spec: {
      model: { name: model },
      image: 'example.com/train:1',
      publish: { store: 'pvc://models' },
      datasets: [{ name: 'train', uri: 's3://data/flights', digest: DIGEST }],
    },
  } as unknown as TrainingJob);

const service = (name: string, retrain: object): Promise<Stored<InferenceService>> =>
  under.client.create(inferenceServices, {
    apiVersion: API_VERSION,
    kind: 'InferenceService',
    metadata: key(name),
    spec: { model: { name, follow: 'Production' }, drift: { action: 'Retrain' }, retrain },
  } as unknown as InferenceService);

const condition = (type: string, status: 'True' | 'False') => ({
  type,
  status,
  reason: 'Said',
  message: 'as others say it',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

/** What the watch over drift writes, under a field manager of its own. */
const drifts = (name: string, version: string) =>
  under.client.applyStatus(
    inferenceServices,
    {
      apiVersion: API_VERSION,
      kind: 'InferenceService',
      metadata: key(name),
      status: {
        conditions: [condition('DriftDetected', 'True')],
        drift: {
          at: '2026-01-01T00:00:00Z',
          version,
          n: 1000,
          worst: [
            {
              name: 'distance',
              measure: 'psi',
              value: '0.4',
              low: '0.3',
              high: '0.5',
              limit: '0.2',
              n: 1000,
              drifted: true,
            },
          ],
        },
      },
    } as never,
    { fieldManager: 'slipway-drift' },
  );

const untilRetraining = (name: string, reason: string): Promise<Stored<InferenceService>> =>
  under.until(inferenceServices, name, ({ status }) =>
    expect(status?.conditions?.find(({ type }) => type === 'Retraining')?.reason).toBe(reason),
  );

const finish = (name: string, status: object) =>
  under.client.applyStatus(
    trainingJobs,
    { apiVersion: API_VERSION, kind: 'TrainingJob', metadata: key(name), status } as never,
    { fieldManager: 'slipway-trainingjob' },
  );

test('kubedl#98: drift starts one retraining, its end is followed, and the next drift waits for the cooldown', async () => {
  await service('flights', { from: 'flights-train' });
  await untilRetraining('flights', 'PatternMissing');
  await pattern('flights-train', 'flights');
  await untilRetraining('flights', 'Idle');

  await drifts('flights', '0.1.0');
  const job = await under.until(trainingJobs, 'flights-r1');
  expect(job.spec).toMatchObject({ model: { name: 'flights', version: 'NextMinor' } });
  expect(job.spec.datasets).toEqual([{ name: 'train', uri: 's3://data/flights', unpinned: true }]);
  expect(job.metadata.annotations?.[ANNOTATIONS.trigger]).toBe('Drift of distance: psi 0.4 over 0.2');
  expect(job.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'InferenceService', name: 'flights' });
  const running = await untilRetraining('flights', 'Running');
  expect(running.status?.drift?.version).toBe('0.1.0');

  await finish('flights-r1', { phase: 'Succeeded', modelVersion: 'flights-0.2.0', acceleratorSeconds: 60 });
  await under.client.create(modelVersions, {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: key('flights-0.2.0'),
    spec: { model: 'flights', version: '0.2.0', artifact: { uri: 'pvc://models/a', digest: DIGEST, format: 'ONNX' } },
  } as ModelVersion);
  await under.client.applyStatus(
    modelVersions,
    {
      apiVersion: API_VERSION,
      kind: 'ModelVersion',
      metadata: key('flights-0.2.0'),
      status: { conditions: [condition('Stalled', 'True')] },
    } as never,
    { fieldManager: 'slipway-modelversion' },
  );
  const rejected = await under.until(inferenceServices, 'flights', ({ status }) =>
    expect(status?.retraining?.runs?.[0]).toMatchObject({ outcome: 'Rejected', acceleratorSeconds: 60 }),
  );
  expect(rejected.status?.retraining?.rejections).toBe(1);

  await drifts('flights', '0.1.1');
  const held = await untilRetraining('flights', 'Cooldown');
  expect(held.status?.retraining?.next).toBeDefined();
  expect(await under.client.get(trainingJobs, key('flights-r2'))).toBeUndefined();
});

test('a person asks once and gets one, also from an operator that knows nothing but the server', async () => {
  await pattern('delays-train', 'delays');
  await service('delays', { from: 'delays-train' });
  await untilRetraining('delays', 'Idle');
  const asked = { metadata: { annotations: { [ANNOTATIONS.retrain]: 'monday' } } };
  await under.client.merge(inferenceServices, key('delays'), asked);
  await under.until(trainingJobs, 'delays-r1');
  await finish('delays-r1', { phase: 'Failed', conditions: [condition('Stalled', 'True')] });
  await under.restart();
  const after = await under.until(inferenceServices, 'delays', ({ status }) =>
    expect(status?.retraining?.runs?.[0]?.outcome).toBe('Failed'),
  );
  expect(after.status?.retraining).toMatchObject({ number: 1, lastAsked: 'monday', rejections: 1 });
  expect(await under.client.get(trainingJobs, key('delays-r2'))).toBeUndefined();
  // Events are told after the status that they are about is written.
  await vi.waitFor(
    async () => {
      const told = (await under.client.list(events, under.namespace)).filter(
        ({ regarding }) => regarding.name === 'delays',
      );
      expect(told.map(({ reason }) => reason).sort()).toEqual(['RetrainingFailed', 'RetrainingStarted']);
    },
    { timeout: 10_000 },
  );
});

test('asking for no retraining any more takes what was said of it out of the status', async () => {
  await pattern('quiet-train', 'quiet');
  await service('quiet', { from: 'quiet-train', schedule: '0 3 * * 1' });
  await untilRetraining('quiet', 'Idle');
  await under.client.merge(inferenceServices, key('quiet'), { spec: { retrain: null, drift: null } });
  await under.until(inferenceServices, 'quiet', ({ status }) => {
    expect(status?.retraining).toBeUndefined();
    expect(status?.conditions ?? []).toEqual([]);
  });
});
