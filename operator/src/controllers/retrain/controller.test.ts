import { expect, test } from 'vitest';
import { began, DRIFT, job, run, service } from '../../../test/retrainBuilders.ts';
import { trainingJob } from '../../../test/trainingBuilders.ts';
import { type InferenceService, inferenceServices, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import { ApiError } from '../../kube/errors.ts';
import { MemoryStore } from '../../kube/memoryStore.ts';
import type { Key, Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { retrainController } from './controller.ts';

const NAME = 'flights-r1';

/** One pass over a service, where the cache of jobs shows the pattern alone. */
async function pass(
  infs: Stored<InferenceService>,
  onServer: TrainingJob | undefined,
  create: () => never = () => {
    throw new Error('nothing is to be made');
  },
): Promise<InferenceService['status']> {
  const services = new MemoryStore<KubeObject>();
  services.set(infs);
  const jobs = new MemoryStore<KubeObject>();
  const { metadata, ...pattern } = trainingJob() as Stored<TrainingJob>;
  jobs.set({ ...pattern, metadata: { ...metadata, name: 'nightly' } });
  const written: InferenceService[] = [];
  const context = {
    store: ({ plural }: Resource) =>
      plural === inferenceServices.plural
        ? services
        : plural === trainingJobs.plural
          ? jobs
          : new MemoryStore<KubeObject>(),
    client: {
      get: async ({ plural }: Resource, { name }: Key) =>
        plural === inferenceServices.plural ? infs : name === NAME ? onServer : undefined,
      apply: async () => create(),
      applyStatus: async (_: Resource, object: InferenceService) => {
        written.push(object);
        return { ...infs, status: object.status };
      },
    },
    events: { emit: () => undefined },
    now: () => new Date('2026-01-01T00:00:01Z'),
  } as unknown as ControllerContext;
  const { name, namespace = '' } = infs.metadata;
  await retrainController().build(context).reconcile({ namespace, name }, new AbortController().signal);
  return written.at(-1)?.status ?? infs.status;
}

const passWhere = (onServer: TrainingJob | undefined) =>
  pass(service({ retraining: began({ runs: [run()], running: NAME }) }), onServer);

test('a job that the cache does not show yet was not deleted: the server is asked before a run counts as failed', async () => {
  const status = await passWhere(job(NAME, { phase: 'Running' }));
  expect(status?.retraining).toMatchObject({ rejections: 0, running: NAME, runs: [{ outcome: 'Running' }] });
});

test('a job that the server does not know either was deleted', async () => {
  const status = await passWhere(undefined);
  expect(status?.retraining).toMatchObject({ rejections: 1, runs: [{ outcome: 'Failed' }] });
});

test.each([
  [403, 'Forbidden', 'exceeded quota: count/trainingjobs.slipway.dev'],
  [422, 'JobInvalid', 'spec.parameters: Too many: 101'],
])('a job that the server refuses with %i is told as %s, and not tried in silence', async (code, reason, words) => {
  const status = await pass(service({ drift: DRIFT }), undefined, () => {
    throw new ApiError(code, 'Refused', words);
  });
  expect(status?.conditions).toMatchObject([
    { type: 'Retraining', status: 'False', reason, message: `No retraining can start: ${words}` },
  ]);
  expect(status?.retraining).toBeUndefined();
});

test('a server that is away is no news of a retraining: the pass is made again', async () => {
  const away = pass(service({ drift: DRIFT }), undefined, () => {
    throw new ApiError(503, 'ServiceUnavailable', 'try later');
  });
  await expect(away).rejects.toThrow('try later');
});
