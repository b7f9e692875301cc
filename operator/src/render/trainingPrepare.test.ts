import { describe, expect, test } from 'vitest';
import { trainingJob } from '../../test/trainingBuilders.ts';
import { agentContainer, progressEnv } from './trainingAgent.ts';
import { datasetVolumes, inputMounts, needsPrepare, prepareContainer } from './trainingPrepare.ts';

const runtime = { image: 'example.com/runtime:1', pullPolicy: 'IfNotPresent' as const };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const datasets = [
  { name: 'train', uri: 's3://lake/flights', digest: DIGEST, secretRef: { name: 'lake' } },
  { name: 'holdout', uri: 'pvc://data/flights/holdout', unpinned: true },
];
const variables = (container: { env?: readonly { name: string; value?: string }[] }) =>
  Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));

describe('the prepare container', () => {
  test.each([
    ['one pod without data sets starts at once', {}, 0, false],
    ['a later attempt has a checkpoint to find', {}, 1, true],
    ['several pods have each other to meet', { nodes: 2 }, 0, true],
    ['data sets are to be fetched', { datasets }, 0, true],
    ['a queue may take the pod back and let its Job go again', { queue: 'team-a' }, 0, true],
  ])('%s', (_what, over, attempt, needed) => {
    expect(needsPrepare(trainingJob(over), attempt)).toBe(needed);
  });

  test('is told whom to meet, by what time, and what to fetch with which Secret', () => {
    const env = variables(prepareContainer(trainingJob({ nodes: 3, datasets }), 2, runtime));
    expect(JSON.parse(env['SLIPWAY_PEERS'] ?? '')).toEqual({
      names: 'nightly-a2-{}.nightly-training.ml.svc',
      count: 3,
    });
    expect(env['SLIPWAY_START_TIMEOUT_SECONDS']).toBe('600');
    expect(JSON.parse(env['SLIPWAY_DATASETS'] ?? '')).toEqual([
      { name: 'train', uri: 's3://lake/flights', digest: DIGEST, secret: 'lake' },
      { name: 'holdout', uri: 'pvc://data/flights/holdout' },
    ]);
  });

  test('in a queue it empties the output, which only it and the trainer have', () => {
    const inQueue = prepareContainer(trainingJob({ queue: 'team-a' }), 2, runtime);
    expect(variables(inQueue)['SLIPWAY_OUTPUT_DIR']).toBe('/slipway/output');
    expect(inQueue.volumeMounts).toContainEqual({
      name: 'workspace',
      mountPath: '/slipway/output',
      subPath: 'output/a2',
    });
    expect(variables(prepareContainer(trainingJob(), 2, runtime))).not.toHaveProperty('SLIPWAY_OUTPUT_DIR');
  });

  test('one pod meets nobody', () => {
    const env = variables(prepareContainer(trainingJob(), 1, runtime));
    expect(env).not.toHaveProperty('SLIPWAY_PEERS');
    expect(env).not.toHaveProperty('SLIPWAY_DATASETS');
  });

  test('alone holds the Secret of a store; the trainer reads the inputs and the claims, and writes neither', () => {
    const tj = trainingJob({ datasets });
    const mounted = prepareContainer(tj, 0, runtime).volumeMounts?.map(({ mountPath }) => mountPath);
    expect(mounted).toEqual([
      '/slipway/checkpoints',
      '/slipway/input',
      '/slipway/claims/data',
      '/slipway/credentials/lake',
      '/slipway/status',
    ]);
    expect(inputMounts(tj).map(({ mountPath, readOnly }) => [mountPath, readOnly])).toEqual([
      ['/slipway/input', true],
      ['/slipway/claims/data', true],
    ]);
    const names = new Set(datasetVolumes(tj).map(({ name }) => name));
    for (const { name } of inputMounts(tj).filter((mount) => mount.name !== 'workspace')) expect(names).toContain(name);
  });

  test('a job without data sets mounts no inputs', () => expect(inputMounts(trainingJob())).toEqual([]));
});

describe('the agent', () => {
  test('kubeflow/trainer#2779: the trainer is told to post its progress to it, in the words of Kubeflow', () => {
    expect(progressEnv(trainingJob())).toEqual([
      {
        name: 'KUBEFLOW_TRAINER_SERVER_URL',
        value: 'http://127.0.0.1:9090/apis/trainer.kubeflow.org/v1alpha1/namespaces/ml/trainjobs/nightly/status',
      },
      { name: 'KUBEFLOW_TRAINER_SERVER_TOKEN', value: '/slipway/status/post-token' },
    ]);
    expect(agentContainer(runtime).ports?.[0]?.containerPort).toBe(9090);
  });

  test('a user who posts elsewhere is left alone', () => {
    const env = [{ name: 'KUBEFLOW_TRAINER_SERVER_URL', value: 'https://elsewhere.example.com' }];
    expect(progressEnv(trainingJob({ env })).map(({ name }) => name)).toEqual(['KUBEFLOW_TRAINER_SERVER_TOKEN']);
  });
});
