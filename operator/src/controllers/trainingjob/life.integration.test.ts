import { encodeReport } from '@slipway/crds';
import { ANNOTATIONS, API_VERSION } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { HandDrivenJobs } from '../../../test/jobController.ts';
import { KueueStandIn } from '../../../test/kueueStandIn.ts';
import { DIGEST, FAILURE } from '../../../test/trainingBuilders.ts';
import { type Job, jobs, persistentVolumeClaims, pods } from '../../api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { trainingJobController } from './controller.ts';

type Spec = Partial<TrainingJob['spec']>;

/** Until what the queue says stands in the status. */
const says = (name: string, what: string) =>
  under.until(trainingJobs, name, ({ status }) => expect(status).toMatchObject({ phase: 'Queued', queue: what }));

/** The wait between two attempts is ten seconds; the tests of this file wait side by side. */
const SIDE_BY_SIDE = { timeout: 60_000 };
const HUNG = JSON.stringify({ step: 2, total: 8, metrics: { loss: 0.5 } });

let under: UnderTest;
let hand: HandDrivenJobs;
let kueue: KueueStandIn;

beforeAll(async () => {
  under = await runControllers(inject('kubeconfig'), (config) => [
    trainingJobController(config, { newToken: () => 'a-token', fetchText: async () => HUNG }),
  ]);
  hand = new HandDrivenJobs(under.client);
  kueue = await KueueStandIn.install(under.client);
});
afterAll(() => under.stop());

const manifest = (name: string, spec: Spec) => ({
  apiVersion: API_VERSION,
  kind: 'TrainingJob',
  metadata: { name, namespace: under.namespace },
  spec: {
    model: { name, version: 'NextMinor' },
    image: 'example.com/train:1',
    publish: { store: 'pvc://models' },
    ...spec,
  },
});
const apply = (name: string, spec: Spec = {}) =>
  under.client.create(trainingJobs, manifest(name, spec) as unknown as TrainingJob);
const edit = (name: string, patch: object) =>
  under.client.merge(trainingJobs, { namespace: under.namespace, name }, patch);

const attemptOf = (name: string, attempt = 0) => under.until(jobs, `${name}-a${attempt}`);
const phase = (name: string, want: string) =>
  under.until(trainingJobs, name, ({ status }) => expect(status?.phase, JSON.stringify(status)).toBe(want));
const failedWith = (name: string, kind: string) =>
  under.until(trainingJobs, name, ({ status }) =>
    expect(status?.attempts?.at(-1)?.class, JSON.stringify(status)).toBe(kind),
  );
const podsOf = ({ metadata }: Stored<Job>) =>
  under.client.list(pods, under.namespace, { labelSelector: `batch.kubernetes.io/controller-uid=${metadata.uid}` });
const gone = (job: Stored<Job>) =>
  expect
    .poll(async () => (await podsOf(job)).filter((p) => p.metadata.deletionTimestamp === undefined), {
      timeout: 10_000,
    })
    .toEqual([]);

const running = { phase: 'Running', startTime: '2026-01-01T00:00:00Z', podIP: '10.0.0.7' } as const;

async function train(name: string, nodes = 1, attempt = 0): Promise<Stored<Job>> {
  const job = await attemptOf(name, attempt);
  for (let index = 0; index < nodes; index += 1)
    await hand.pod(job, { ...running, startedAt: rfc3339(new Date()), index });
  await under.until(trainingJobs, name, ({ status }) => expect(status?.gang).toBeDefined());
  return job;
}

async function finish(job: Stored<Job>): Promise<void> {
  for (const pod of await podsOf(job)) await hand.podIs(pod, { ...running, phase: 'Succeeded', exitCode: 0 });
  await hand.end(job, 'Complete');
}

async function publish(name: string): Promise<void> {
  const job = await under.until(jobs, `${name}-publish`);
  const report = {
    schema: 'slipway.dev/publish/v1',
    uri: `pvc://models/${name}`,
    digest: DIGEST,
    files: 1,
    bytes: 1,
  } as const;
  await hand.pod(job, { container: 'publish', phase: 'Succeeded', exitCode: 0, message: encodeReport(report) ?? '' });
  await hand.end(job, 'Complete');
}

describe.concurrent('the life of a TrainingJob', SIDE_BY_SIDE, () => {
  test('kubernetes-sigs/jobset#574: one deleted pod ends the gang, and a fresh one starts when its pods are gone', async () => {
    await apply('torn', { nodes: 2 });
    const first = await train('torn', 2);
    const [victim] = await podsOf(first);
    await under.client.delete(pods, keyOf(victim as NonNullable<typeof victim>));
    const lost = await failedWith('torn', 'AttemptLost');
    expect(lost.status).toMatchObject({ attempt: 1, restarts: 0, disruptions: 1 });
    await gone(first);
    await under.untilGone(jobs, 'torn-a0');
    const second = await attemptOf('torn', 1);
    expect(second.spec?.completions).toBe(2);
    expect(Date.parse(second.metadata.creationTimestamp ?? '')).toBeGreaterThanOrEqual(
      Date.parse(lost.status?.nextAttemptAt ?? ''),
    );
  });

  test('a broken accelerator: the next attempt goes to other nodes', async () => {
    await apply('xid');
    const job = await attemptOf('xid');
    const message = 'NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.';
    await hand.pod(job, { phase: 'Failed', exitCode: 1, message, node: 'gpu-7' });
    await hand.end(job, 'Failed');
    const failed = await failedWith('xid', 'AcceleratorFault');
    expect(failed.status?.excludedNodes).toMatchObject([{ name: 'gpu-7' }]);
    const next = await attemptOf('xid', 1);
    expect(JSON.stringify(next.spec?.template.spec?.affinity)).toContain(
      '{"key":"metadata.name","operator":"NotIn","values":["gpu-7"]}',
    );
  });

  test('a trainer that hangs is ended and counted as stalled', async () => {
    await apply('hangs', { failure: { ...FAILURE, restarts: 1, stallTimeout: '1s' } });
    const job = await train('hangs');
    const stalled = await failedWith('hangs', 'Stalled');
    expect(stalled.status).toMatchObject({ attempt: 1, restarts: 1 });
    expect(stalled.status?.attempts?.[0]?.message).toContain('step 2');
    await gone(job);
  });

  test('suspended, its pods are ended and nothing is counted; it goes on as a new attempt', async () => {
    await apply('pauses');
    const job = await train('pauses');
    await edit('pauses', { spec: { suspend: true } });
    expect((await phase('pauses', 'Suspended')).status).toMatchObject({ attempt: 1, restarts: 0 });
    await under.untilGone(jobs, 'pauses-a0');
    await gone(job);
    await edit('pauses', { spec: { suspend: false } });
    await attemptOf('pauses', 1);
    const { status } = await phase('pauses', 'Pending');
    expect(status).not.toHaveProperty('attempts');
    expect(status?.disruptions ?? 0).toBe(0);
  });

  test('kueue#7649: in a queue its Job is Kueue’s alone: told of, started, taken back, and never written by us', async () => {
    await apply('queues', { queue: 'team-a' });
    const job = await attemptOf('queues');
    expect(job).toMatchObject({
      metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'team-a' } },
      spec: { suspend: true },
    });
    await kueue.takeUp(job, 'insufficient quota for nvidia.com/gpu');
    await edit('queues', { metadata: { annotations: { look: 'again' } } });
    await says('queues', 'Pending: insufficient quota for nvidia.com/gpu');
    const admitted = await kueue.admit(job);
    await hand.pod(admitted, { ...running, startedAt: rfc3339(new Date()) });
    expect((await phase('queues', 'Running')).status).not.toHaveProperty('queue');
    expect((await attemptOf('queues')).metadata.resourceVersion).toBe(admitted.metadata.resourceVersion);
    await kueue.evict(job, 'Preempted to accommodate a workload of higher priority');
    for (const pod of await podsOf(job)) {
      await hand.podIs(pod, { phase: 'Failed', exitCode: 143 });
      await under.client.delete(pods, keyOf(pod));
    }
    await says('queues', 'Preempted: Preempted to accommodate a workload of higher priority');
    const back = await phase('queues', 'Queued');
    expect(back.status).toMatchObject({ attempt: 0, restarts: 0 });
    expect(back.status).not.toHaveProperty('attempts');
  });

  test('published when asked: no version is taken before, and the uid asks', async () => {
    const { metadata } = await apply('asked', { publish: { store: 'pvc://models', when: 'Asked' } });
    await finish(await train('asked'));
    const trained = await phase('asked', 'Trained');
    expect(trained.status).not.toHaveProperty('version');
    expect(await under.client.get(jobs, { namespace: under.namespace, name: 'asked-publish' })).toBeUndefined();
    await edit('asked', { metadata: { annotations: { [ANNOTATIONS.publish]: metadata.uid } } });
    await publish('asked');
    expect((await phase('asked', 'Succeeded')).status).toMatchObject({ version: '0.1.0', modelVersion: 'asked-0.1.0' });
  });

  test('kubeflow/trainer#4052: a finished job goes when its time is over, and its ModelVersion stays', async () => {
    await apply('expires', { ttlAfterFinished: '1s' });
    await finish(await train('expires'));
    await publish('expires');
    await under.untilGone(trainingJobs, 'expires');
    expect((await under.until(modelVersions, 'expires-0.1.0')).spec.artifact.digest).toBe(DIGEST);
  });

  test('a pod template that the server refuses starts nothing, tells its words, and can be mended', async () => {
    await apply('overlaid', { podTemplate: { spec: { containers: [{ name: 'train', nonsense: 1 }] } } });
    const refused = await under.until(trainingJobs, 'overlaid', ({ status }) =>
      expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'PodTemplateInvalid',
      }),
    );
    expect(refused.status?.conditions?.[0]?.message).toContain('nonsense');
    expect(
      await under.client.get(persistentVolumeClaims, { namespace: under.namespace, name: 'overlaid-workspace' }),
    ).toBeUndefined();
    await edit('overlaid', {
      spec: {
        podTemplate: {
          spec: {
            hostname: null,
            terminationGracePeriodSeconds: 90,
            containers: [{ name: 'train', workingDir: '/src' }],
          },
        },
      },
    });
    const made = await attemptOf('overlaid');
    expect(made.spec?.template.spec).toMatchObject({
      terminationGracePeriodSeconds: 90,
      containers: [{ name: 'train', workingDir: '/src' }],
    });
    await under.until(trainingJobs, 'overlaid', ({ status }) =>
      expect(status?.conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('False'),
    );
  });

  test('a version below the newest is refused before anything is trained, with what to write', async () => {
    await under.client.create(modelVersions, {
      apiVersion: API_VERSION,
      kind: 'ModelVersion',
      metadata: { name: 'older-2.0.0', namespace: under.namespace },
      spec: {
        model: 'older',
        version: '2.0.0',
        artifact: { uri: 'pvc://models/older', digest: DIGEST, format: 'ONNX' },
      },
    });
    await apply('older', { model: { name: 'older', version: '1.9.0' } });
    const refused = await phase('older', 'Failed');
    expect(refused.status?.conditions?.[0]).toMatchObject({
      reason: 'VersionNotNewest',
      message: expect.stringContaining('name a higher version, or NextMinor'),
    });
    expect(await under.client.get(jobs, { namespace: under.namespace, name: 'older-a0' })).toBeUndefined();
  });

  test('what the server refuses of a spec is told in its words, and not tried for ever', async () => {
    await apply('greedy', { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } });
    const refused = await under.until(trainingJobs, 'greedy', ({ status }) =>
      expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'AttemptInvalid',
      }),
    );
    expect(refused.status?.conditions?.[0]?.message).toContain('must be less than or equal to memory limit');
  });
});
