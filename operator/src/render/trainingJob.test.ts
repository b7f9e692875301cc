import { describe, expect, test } from 'vitest';
import { trainingJob } from '../../test/trainingBuilders.ts';
import type { Job } from '../api/builtin.ts';
import { parametersConfigMap } from './parameters.ts';
import type { PodSpec } from './pod.ts';
import { publishJob } from './publishJob.ts';
import { rendezvousService } from './rendezvousService.ts';
import { trainingJobAttempt } from './trainingJob.ts';
import { parameterVariable } from './trainingJobEnv.ts';
import { trainingJobToken } from './trainingJobToken.ts';
import { workspaceClaim } from './workspace.ts';

const runtime = { image: 'example.com/runtime:1', pullPolicy: 'IfNotPresent' as const };
const podOf = ({ spec }: Job): PodSpec => spec?.template.spec as PodSpec;
const trainerOf = (job: Job) => podOf(job).containers[0];

/** Environment as NAME=value lines, in order; a field reference shows its path. */
const envLines = (job: Job): string[] =>
  (trainerOf(job)?.env ?? []).map(
    ({ name, value, valueFrom }) => `${name}=${value ?? `<${valueFrom?.fieldRef?.fieldPath}>`}`,
  );
const INDEX = "<metadata.annotations['batch.kubernetes.io/job-completion-index']>";

describe('the environment of a training container', () => {
  const job = trainingJob(
    {
      nodes: 2,
      env: [{ name: 'TZ', value: 'UTC' }],
      parameters: { lr: '0.01', 'batch-size': '32' },
      accelerator: { resource: 'nvidia.com/gpu', count: 4 },
    },
    { version: '0.2.0' },
  );

  test('two nodes of four accelerators: what torchrun needs, and no rank that only it can know', () => {
    expect(envLines(trainingJobAttempt(job, 1, runtime))).toEqual([
      'TZ=UTC',
      'SLIPWAY_PARAM_BATCH_SIZE=32',
      'SLIPWAY_PARAM_LR=0.01',
      'SLIPWAY_JOB=nightly',
      'SLIPWAY_NAMESPACE=ml',
      'SLIPWAY_JOB_UID=tj-uid',
      'SLIPWAY_ATTEMPT=1',
      'SLIPWAY_MODEL_NAME=flights',
      'SLIPWAY_MODEL_VERSION=0.2.0',
      'SLIPWAY_OUTPUT_DIR=/slipway/output',
      'SLIPWAY_MODEL_DIR=/slipway/output/model',
      'SLIPWAY_CHECKPOINT_DIR=/slipway/checkpoints',
      'SLIPWAY_STATUS_DIR=/slipway/status',
      'SLIPWAY_RESUME_FROM=/slipway/checkpoints/latest',
      'SLIPWAY_PARAMETERS_FILE=/slipway/parameters/parameters.json',
      'PYTHONUNBUFFERED=1',
      'PET_NNODES=2',
      'PET_NPROC_PER_NODE=4',
      `PET_NODE_RANK=${INDEX}`,
      'PET_MASTER_ADDR=nightly-a1-0.nightly-training.ml.svc',
      'PET_MASTER_PORT=29500',
      'MASTER_ADDR=nightly-a1-0.nightly-training.ml.svc',
      'MASTER_PORT=29500',
      `NODE_RANK=${INDEX}`,
      'TF_CONFIG={"cluster":{"worker":["nightly-a1-0.nightly-training.ml.svc:2222","nightly-a1-1.nightly-training.ml.svc:2222"]},"task":{"type":"worker","index":$(NODE_RANK)}}',
      'JAX_COORDINATOR_ADDRESS=nightly-a1-0.nightly-training.ml.svc:29500',
      'JAX_NUM_PROCESSES=2',
      'JAX_PROCESS_ID=$(NODE_RANK)',
      'TORCHELASTIC_ERROR_FILE=/slipway/status/error.json',
      'KUBEFLOW_TRAINER_SERVER_URL=http://127.0.0.1:9090/apis/trainer.kubeflow.org/v1alpha1/namespaces/ml/trainjobs/nightly/status',
      'KUBEFLOW_TRAINER_SERVER_TOKEN=/slipway/status/post-token',
    ]);
  });

  test('one process per pod adds WORLD_SIZE and RANK, so that images without torchrun find each other', () => {
    const lines = envLines(trainingJobAttempt(trainingJob({ nodes: 3 }), 0, runtime));
    expect(lines).toContain('PET_NPROC_PER_NODE=1');
    expect(lines).toEqual(expect.arrayContaining(['WORLD_SIZE=3', `RANK=${INDEX}`]));
  });

  test('TF_CONFIG of a thousand pods is there, and is a sentence where no program could be started with it', () => {
    const tfConfigOf = (name: string): string => {
      const bare = trainingJob({ nodes: 1000 });
      const line = envLines(trainingJobAttempt({ ...bare, metadata: { ...bare.metadata, name } }, 0, runtime)).find(
        (l) => l.startsWith('TF_CONFIG='),
      );
      return (line ?? '').slice('TF_CONFIG='.length);
    };
    expect(JSON.parse(tfConfigOf('flights').replace('$(NODE_RANK)', '1')).cluster.worker).toHaveLength(1000);
    const long = tfConfigOf('a-name-of-forty-characters-of-which-none');
    expect(long).toMatch(/^The names of 1000 pods take \d+ bytes, and TF_CONFIG may have 65536: .*spec\.env\.$/);
    expect(() => JSON.parse(long)).toThrow();
  });

  test('TF_CONFIG is JSON once the kubelet has filled in the rank, and names every worker', () => {
    const line = envLines(trainingJobAttempt(trainingJob({ nodes: 2 }), 0, runtime)).find((l) =>
      l.startsWith('TF_CONFIG='),
    );
    const config = JSON.parse((line ?? '').slice('TF_CONFIG='.length).replace('$(NODE_RANK)', '1'));
    expect(config).toMatchObject({
      cluster: { worker: [/./, /./].map(() => expect.any(String)) },
      task: { type: 'worker', index: 1 },
    });
  });

  test('one pod has no peers: nothing makes TensorFlow or JAX wait for any', () => {
    expect(envLines(trainingJobAttempt(trainingJob(), 0, runtime)).join()).not.toMatch(/TF_CONFIG|JAX_/);
  });

  test('a variable of a framework that the user sets stays the user’s, once', () => {
    const own = trainingJob({ nodes: 2, env: [{ name: 'TF_CONFIG', value: '{}' }] });
    expect(envLines(trainingJobAttempt(own, 0, runtime)).filter((l) => l.startsWith('TF_CONFIG='))).toEqual([
      'TF_CONFIG={}',
    ]);
  });

  test('static rendezvous: nothing of PET_RDZV_* is set, which would make torchrun ignore the master', () => {
    expect(envLines(trainingJobAttempt(trainingJob({ nodes: 2 }), 0, runtime)).join()).not.toContain('PET_RDZV');
  });

  test('whole Secrets and ConfigMaps are passed on, and what stands in env wins over them', () => {
    const envFrom = [{ prefix: 'AWS_', secretRef: { name: 's3' } }, { configMapRef: { name: 'settings' } }];
    expect(trainerOf(trainingJobAttempt(trainingJob({ envFrom }), 0, runtime))?.envFrom).toEqual(envFrom);
    expect(trainerOf(trainingJobAttempt(trainingJob(), 0, runtime))).not.toHaveProperty('envFrom');
  });

  test('a number of processes given is the one set', () => {
    const lines = envLines(trainingJobAttempt(trainingJob({ processesPerNode: 8 }), 0, runtime));
    expect(lines).toContain('PET_NPROC_PER_NODE=8');
    expect(lines.join()).not.toContain('WORLD_SIZE');
  });

  test('LOCAL_RANK is never set: Lightning would take it that a launcher did the rest', () => {
    for (const nodes of [1, 2]) {
      expect(envLines(trainingJobAttempt(trainingJob({ nodes }), 0, runtime)).join()).not.toMatch(
        /LOCAL_RANK|GROUP_RANK/,
      );
    }
  });

  test.each([
    ['lr', 'SLIPWAY_PARAM_LR'],
    ['batch-size', 'SLIPWAY_PARAM_BATCH_SIZE'],
    ['model.depth', 'SLIPWAY_PARAM_MODEL_DEPTH'],
  ])('parameter %s is %s', (name, want) => expect(parameterVariable(name)).toBe(want));
});

describe('an attempt', () => {
  const job = trainingJobAttempt(trainingJob({ nodes: 2 }), 3, runtime);

  test('is one Indexed Job that never retries by itself', () => {
    expect(job.metadata).toMatchObject({ name: 'nightly-a3', labels: { 'slipway.dev/attempt': '3' } });
    expect(job.metadata.ownerReferences).toMatchObject([{ kind: 'TrainingJob', uid: 'tj-uid', controller: true }]);
    expect(job.spec).toMatchObject({
      completionMode: 'Indexed',
      completions: 2,
      parallelism: 2,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
    });
    expect(job.spec).not.toHaveProperty('ttlSecondsAfterFinished');
  });

  test('kubeflow/trainer#1579: the first pod that fails or is evicted ends all of them', () => {
    const rules = job.spec?.podFailurePolicy?.rules ?? [];
    expect(rules.map(({ action }) => action)).toEqual(['FailJob', 'FailJob']);
    expect(rules[1]?.onExitCodes).toEqual({ containerName: 'train', operator: 'NotIn', values: [0] });
  });

  test('writes into an output of its own, and shares the checkpoints of the attempts before it', () => {
    const mounts = trainerOf(job)?.volumeMounts ?? [];
    const subPaths = mounts
      .filter(({ name }) => name === 'workspace')
      .map(({ mountPath, subPath }) => [mountPath, subPath]);
    expect(subPaths).toEqual([
      ['/slipway/checkpoints', 'checkpoints'],
      ['/slipway/output', 'output/a3'],
    ]);
  });

  test('has the agent as a sidecar, which alone holds the token', () => {
    const [agent] = podOf(job).initContainers ?? [];
    expect(agent).toMatchObject({ restartPolicy: 'Always', command: ['node', '/app/agent.mjs'], image: runtime.image });
    expect(agent?.volumeMounts?.map(({ name }) => name)).toContain('admin');
    expect(trainerOf(job)?.volumeMounts?.map(({ name }) => name)).not.toContain('admin');
  });

  test('accelerators are a limit of the trainer alone', () => {
    const accelerated = trainingJobAttempt(
      trainingJob({ accelerator: { resource: 'nvidia.com/gpu', count: 2, products: ['NVIDIA-H100'] } }),
      0,
      runtime,
    );
    expect(trainerOf(accelerated)?.resources?.limits).toEqual({ 'nvidia.com/gpu': '2' });
    expect(podOf(accelerated).initContainers?.[0]?.resources?.limits).toEqual({ memory: '128Mi' });
    expect(podOf(accelerated).affinity?.nodeAffinity).toBeDefined();
  });
});

describe('where the pods of an attempt go', () => {
  const affinity = (job: Job) => podOf(job).affinity;

  test('topologyKey: all pods of the attempt share its value, and none of another attempt counts', () => {
    const together = trainingJob({ nodes: 2, placement: { topologyKey: 'nvidia.com/gpu.clique' } });
    expect(affinity(trainingJobAttempt(together, 4, runtime))?.podAffinity).toEqual({
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: 'nvidia.com/gpu.clique',
          labelSelector: { matchLabels: expect.objectContaining({ 'slipway.dev/attempt': '4' }) },
        },
      ],
    });
  });

  test('nodes that are left out are named by field', () => {
    const job = trainingJobAttempt(trainingJob(), 1, runtime, { excludedNodes: ['gpu-7'] });
    expect(JSON.stringify(affinity(job))).toContain('{"key":"metadata.name","operator":"NotIn","values":["gpu-7"]}');
  });

  test('without either there is no affinity, as ever', () => {
    expect(affinity(trainingJobAttempt(trainingJob({ nodes: 2 }), 0, runtime))).toBeUndefined();
  });

  test('a queue’s Job has the label of Kueue and waits for it; any other is as it was', () => {
    const queued = trainingJobAttempt(trainingJob({ queue: 'team-a' }), 0, runtime);
    expect(queued.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'team-a' });
    expect(queued.spec?.suspend).toBe(true);
    const plain = trainingJobAttempt(trainingJob(), 0, runtime);
    expect(plain.spec).not.toHaveProperty('suspend');
  });

  test('a queue’s Job has its priority there, and none where none is asked for', () => {
    const labelsOf = (spec: Parameters<typeof trainingJob>[0]) =>
      trainingJobAttempt(trainingJob(spec), 0, runtime).metadata.labels;
    expect(labelsOf({ queue: 'team-a', queuePriority: 'urgent' })).toMatchObject({
      'kueue.x-k8s.io/priority-class': 'urgent',
    });
    expect(labelsOf({ queue: 'team-a' })).not.toHaveProperty('kueue.x-k8s.io/priority-class');
  });

  test('what SIGTERM makes of pods that a queue takes back fails no Job: no rule asks for their exit code', () => {
    const rules = trainingJobAttempt(trainingJob({ queue: 'team-a' }), 0, runtime).spec?.podFailurePolicy?.rules;
    expect(rules).toEqual([{ action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }]);
  });
});

describe('data sets', () => {
  const datasets = [
    { name: 'train', uri: 'pvc://lake/flights/2015', unpinned: true },
    { name: 'test', uri: 's3://bucket/test', unpinned: true, secretRef: { name: 's3' } },
  ];
  const job = trainingJobAttempt(trainingJob({ datasets }), 0, runtime);

  test('are prepared before the trainer starts, by the one container that sees the Secrets', () => {
    const [, prepare] = podOf(job).initContainers ?? [];
    expect(prepare).toMatchObject({ name: 'prepare', command: ['node', '/app/prepare.mjs'] });
    expect(prepare?.volumeMounts?.map(({ mountPath }) => mountPath)).toContain('/slipway/credentials/s3');
    expect(
      trainerOf(job)
        ?.volumeMounts?.map(({ mountPath }) => mountPath)
        .join(),
    ).not.toContain('credentials');
  });

  test('are read-only for the trainer: the folder of inputs, and the claims that it links into', () => {
    const mounts = trainerOf(job)?.volumeMounts?.filter(({ mountPath }) => /input|claims/.test(mountPath)) ?? [];
    expect(mounts.map(({ mountPath, readOnly }) => [mountPath, readOnly])).toEqual([
      ['/slipway/input', true],
      ['/slipway/claims/lake', true],
    ]);
    expect(envLines(job)).toContain('SLIPWAY_INPUT_DIR=/slipway/input');
  });

  test('one pod without any, on its first attempt, has nothing to prepare and starts at once', () => {
    const names = (attempt: number) =>
      podOf(trainingJobAttempt(trainingJob(), attempt, runtime)).initContainers?.map(({ name }) => name);
    expect(names(0)).toEqual(['agent']);
    expect(names(1)).toEqual(['agent', 'prepare']);
  });
});

describe('what the pods of a job mount and are found by', () => {
  test('kubernetes#92559: the headless Service publishes pods that are not ready', () => {
    expect(rendezvousService(trainingJob()).spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { 'slipway.dev/training-job': 'nightly', 'app.kubernetes.io/component': 'training' },
    });
  });

  test('the selector of the Service is on the pods', () => {
    const labels = trainingJobAttempt(trainingJob(), 0, runtime).spec?.template.metadata?.labels;
    expect(labels).toMatchObject(rendezvousService(trainingJob()).spec?.selector ?? { none: true });
  });

  test.each([
    [1, 'ReadWriteOnce'],
    [2, 'ReadWriteMany'],
  ])('%d node(s): the claim is %s', (nodes, mode) => {
    expect(workspaceClaim(trainingJob({ nodes })).spec?.accessModes).toEqual([mode]);
  });

  test('the access mode that the user names is asked for, as pods on one machine can share a ReadWriteOnce claim', () => {
    const shared = trainingJob({ nodes: 2, workspace: { claim: { size: '1Gi', accessMode: 'ReadWriteOnce' } } });
    expect(workspaceClaim(shared).spec?.accessModes).toEqual(['ReadWriteOnce']);
  });

  test('no storage class is asked for unless the user names one', () => {
    expect(workspaceClaim(trainingJob()).spec).not.toHaveProperty('storageClassName');
    const fast = trainingJob({ workspace: { claim: { size: '10Gi', storageClass: 'fast' } } });
    expect(workspaceClaim(fast).spec).toMatchObject({
      storageClassName: 'fast',
      resources: { requests: { storage: '10Gi' } },
    });
  });

  test('parameters are a sorted JSON document', () => {
    const { data } = parametersConfigMap(trainingJob({ parameters: { b: '2', a: '1' } }));
    expect(data?.['parameters.json']).toBe('{\n  "a": "1",\n  "b": "2"\n}\n');
  });

  test('the token is under the file name of the contract', () => {
    expect(trainingJobToken(trainingJob(), 'secret').data).toEqual({ token: 'c2VjcmV0' });
  });
});

describe('the publish Job', () => {
  const mounts = (store: string) => {
    const [publisher] = podOf(publishJob(trainingJob({ publish: { store } }), '0.1.0', 2, runtime)).containers;
    return publisher?.volumeMounts?.filter(({ name }) => name !== 'tmp');
  };

  test('reads the output of the attempt that succeeded and writes into the store', () => {
    expect(mounts('pvc://models')).toEqual([
      { name: 'workspace', mountPath: '/slipway/output', subPath: 'output/a2', readOnly: true },
      { name: 'claim-0', mountPath: '/slipway/claims/models' },
    ]);
  });

  test('a folder of the store is all of the claim that it can touch', () => {
    expect(mounts('pvc://models/team-a/prod/')?.slice(1)).toEqual([
      { name: 'claim-0', mountPath: '/slipway/claims/models/team-a/prod', subPath: 'team-a/prod' },
    ]);
  });

  test('asks for no accelerator, so that none waits for a copy', () => {
    const job = publishJob(trainingJob({ accelerator: { resource: 'nvidia.com/gpu', count: 8 } }), '0.1.0', 0, runtime);
    expect(JSON.stringify(job)).not.toContain('nvidia.com');
  });
});
