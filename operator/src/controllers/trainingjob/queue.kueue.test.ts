import { readFileSync } from 'node:fs';
import { API_VERSION } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { HandDrivenJobs } from '../../../test/jobController.ts';
import { FLAVOR, type QueueUnderTest, queueUnderTest } from '../../../test/queueUnderTest.ts';
import { type Job, jobs, type Pod, pods } from '../../api/builtin.ts';
import { type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { type Workload, workloads } from '../../api/kueue.ts';
import { keyOf, type Resource } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { trainingJobController } from './controller.ts';

/** The real Kueue, Job controller and scheduler: what they do to one another, and we beside them. */
let ground: QueueUnderTest;
let under: UnderTest;
let hand: HandDrivenJobs;

const HUNG = JSON.stringify({ step: 2, total: 8, metrics: { loss: 0.5 } });
const GPUS = 8;

beforeAll(async () => {
  ground = await queueUnderTest();
  under = await runControllers(ground.kubeconfig, (config) => [
    trainingJobController(config, { newToken: () => 'a-token', fetchText: async () => HUNG }),
  ]);
  hand = new HandDrivenJobs(under.client);
}, 600_000);
afterAll(async () => {
  await under?.stop();
  await ground?.stop();
});

type Spec = Partial<TrainingJob['spec']>;

async function apply(name: string, queue: string, spec: Spec = {}): Promise<void> {
  const manifest = {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: { name, namespace: under.namespace },
    spec: {
      model: { name },
      image: 'example.com/train:1',
      resources: { requests: { cpu: '1', memory: '1Gi' } },
      accelerator: { count: GPUS },
      publish: { store: 'pvc://models' },
      queue,
      ...spec,
    },
  };
  await under.client.create(trainingJobs, manifest as unknown as TrainingJob);
}

const edit = (name: string, patch: object) =>
  under.client.merge(trainingJobs, { namespace: under.namespace, name }, patch);

const WORKLOADS = workloads[0] as Resource<Workload>;
/** Keeps a pod that has ended from going. */
const HOLD = 'slipway.dev/looked-at';

const SOON = { timeout: 120_000, interval: 100 };
const status = async (name: string) =>
  (await under.client.get(trainingJobs, { namespace: under.namespace, name }))?.status;
const until = (name: string, want: object) =>
  vi.waitFor(async () => {
    const is = await status(name);
    expect(is, JSON.stringify(is?.conditions?.[0])).toMatchObject(want);
  }, SOON);
const untilJob = (name: string) =>
  vi.waitFor(async () => {
    const job = await under.client.get(jobs, { namespace: under.namespace, name });
    if (job === undefined) throw new Error(`there is no Job ${name}`);
    return job;
  }, SOON);
const attemptOf = (name: string, attempt = 0) => untilJob(`${name}-a${attempt}`);
const podsOf = ({ metadata }: Stored<Job>) =>
  under.client.list(pods, under.namespace, { labelSelector: `batch.kubernetes.io/controller-uid=${metadata.uid}` });
const workloadOf = async ({ metadata }: Stored<Job>): Promise<Stored<Workload>[]> =>
  under.client.list(WORKLOADS, under.namespace, {
    labelSelector: `kueue.x-k8s.io/job-uid=${metadata.uid}`,
  });

/** Kueue takes the Job back, as an administrator asks it to, or lets it go. */
async function activate(job: Stored<Job>, active: boolean): Promise<void> {
  const [workload] = (await workloadOf(job)) as [Stored<Workload>];
  await under.client.merge(WORKLOADS, keyOf(workload), { spec: { active } });
}

/** The trainer of each pod ends well; the Job controller does the rest. */
async function finish(name: string, attempt = 0): Promise<void> {
  const job = await attemptOf(name, attempt);
  for (const pod of await podsOf(job))
    await hand.podIs(pod, { phase: 'Succeeded', startTime: '2026-01-01T00:00:00Z', exitCode: 0 });
}

describe.concurrent(`in a queue of the real Kueue, a job`, { timeout: 600_000 }, () => {
  test('kubeflow/trainer#2713: is let go by quota; the next says why it waits, and runs when quota is free', async () => {
    await ground.addQueue(under.namespace, 'quota', GPUS);
    await apply('first', 'quota');
    await until('first', { phase: 'Running' });
    const first = await attemptOf('first');
    expect(first.spec?.template.spec?.nodeSelector).toEqual(FLAVOR);
    expect((await podsOf(first)).map(({ spec }) => spec?.nodeName)).toEqual([expect.stringContaining('reserved-')]);
    await apply('second', 'quota');
    await until('second', {
      phase: 'Queued',
      queue: expect.stringContaining('insufficient unused quota for nvidia.com/gpu'),
    });
    const waits = await attemptOf('second');
    expect(waits).toMatchObject({
      metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'quota' } },
      spec: { suspend: true },
    });
    expect(await podsOf(waits)).toEqual([]);
    await finish('first');
    await until('first', { phase: 'Publishing' });
    await until('second', { phase: 'Running' });
    expect(await status('second')).not.toHaveProperty('queue');
    expect((await untilJob('first-publish')).spec?.suspend ?? false).toBe(false);
  });

  test('kueue#7649: that is preempted costs nothing, keeps its Job, and its next pods go on from its checkpoints', async () => {
    await ground.addQueue(under.namespace, 'preempted', 2 * GPUS);
    await apply('patient', 'preempted', { nodes: 2 });
    await until('patient', { phase: 'Running', gang: expect.any(String) });
    const before = await attemptOf('patient');
    const { gang } = (await status('patient')) ?? {};
    await apply('hurried', 'preempted', { nodes: 2, queuePriority: 'urgent' });
    await until('patient', { phase: 'Queued', queue: expect.stringContaining('Preempted') });
    await until('hurried', { phase: 'Running', gang: expect.any(String) });
    const held = await attemptOf('patient');
    expect(held.spec).toMatchObject({ suspend: true });
    expect(held.spec?.template.spec?.nodeSelector).toBeUndefined();
    await finish('hurried');
    await until('patient', { phase: 'Running', gang: expect.any(String) });
    const after = await attemptOf('patient');
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.spec?.template.spec?.nodeSelector).toEqual(FLAVOR);
    const back = await status('patient');
    expect(back).toMatchObject({ attempt: 0, restarts: 0 });
    expect(back?.gang).not.toBe(gang);
    expect(back).not.toHaveProperty('attempts');
    expect(back?.disruptions ?? 0).toBe(0);
    const [prepare] = after.spec?.template.spec?.initContainers?.filter(({ name }) => name === 'prepare') ?? [];
    expect(prepare?.volumeMounts).toContainEqual(expect.objectContaining({ subPath: 'checkpoints' }));
    await finish('patient');
    await until('patient', { phase: 'Publishing' });
  });

  test('that is let go again while its last pods still end knows its new pods from those', async () => {
    await ground.addQueue(under.namespace, 'again', GPUS);
    await apply('flaps', 'again');
    await until('flaps', { phase: 'Running', attemptStartedAt: expect.any(String) });
    const job = await attemptOf('flaps');
    const [first] = (await podsOf(job)) as [Stored<Pod>];
    await under.client.merge(pods, keyOf(first), {
      metadata: { finalizers: [...(first.metadata.finalizers ?? []), HOLD] },
    });
    await activate(job, false);
    await until('flaps', { phase: 'Queued', queue: expect.stringContaining('Deactivated') });
    await activate(job, true);
    await until('flaps', { phase: 'Running' });
    const [second] = (await podsOf(job)).filter(({ metadata }) => metadata.uid !== first.metadata.uid);
    expect(await podsOf(job)).toHaveLength(2);
    expect(await status('flaps')).toMatchObject({ attempt: 0, attemptStartedAt: second?.status?.startTime });
    await under.client.merge(pods, keyOf(first), { metadata: { finalizers: null } });
    await vi.waitFor(async () => expect(await podsOf(job)).toHaveLength(1), SOON);
    await finish('flaps');
    await until('flaps', { phase: 'Publishing', attempt: 0, restarts: 0 });
    expect(await status('flaps')).not.toHaveProperty('attempts');
  });

  test('of several pods starts whole or not at all', async () => {
    await ground.addQueue(under.namespace, 'gang', 2 * GPUS);
    await apply('small', 'gang');
    await until('small', { phase: 'Running' });
    await apply('wide', 'gang', { nodes: 2 });
    await until('wide', { phase: 'Queued', queue: expect.stringContaining('insufficient unused quota') });
    expect(await podsOf(await attemptOf('wide'))).toEqual([]);
    await finish('small');
    await until('wide', { phase: 'Running', nodes: { active: 2, ready: 2, failed: 0 } });
  });

  test('that its user suspends gives its quota back, and asks for it anew when it goes on', async () => {
    await ground.addQueue(under.namespace, 'suspended', GPUS);
    await apply('pauses', 'suspended');
    await until('pauses', { phase: 'Running' });
    await apply('waits', 'suspended');
    await until('waits', { phase: 'Queued' });
    await edit('pauses', { spec: { suspend: true } });
    await until('pauses', { phase: 'Suspended', attempt: 1, restarts: 0 });
    await until('waits', { phase: 'Running' });
    await edit('pauses', { spec: { suspend: false } });
    await until('pauses', { phase: 'Queued', attempt: 1, queue: expect.stringContaining('insufficient unused quota') });
    await edit('pauses', { spec: { suspend: true } });
    await until('pauses', { phase: 'Suspended', attempt: 2 });
    expect(await status('pauses')).not.toHaveProperty('queue');
    await edit('pauses', { spec: { suspend: false } });
    await finish('waits');
    await until('pauses', { phase: 'Running', attempt: 2, restarts: 0 });
    expect(await status('pauses')).not.toHaveProperty('attempts');
  });

  test('that is deleted while it waits leaves nothing in the queue, and while it runs frees its quota', async () => {
    await ground.addQueue(under.namespace, 'deleted', GPUS);
    await apply('runs', 'deleted');
    await until('runs', { phase: 'Running' });
    await apply('leaves', 'deleted');
    await until('leaves', { phase: 'Queued' });
    const job = await attemptOf('leaves');
    await apply('stays', 'deleted');
    await until('stays', { phase: 'Queued', queue: expect.stringContaining('others stand before it') });
    const remove = (name: string) => under.client.delete(trainingJobs, { namespace: under.namespace, name });
    await remove('leaves');
    await vi.waitFor(async () => expect(await workloadOf(job)).toEqual([]), SOON);
    await remove('runs');
    await until('stays', { phase: 'Running' });
  });

  test('that fails costs a restart as ever, and its next attempt asks the queue again', async () => {
    await ground.addQueue(under.namespace, 'fails', GPUS);
    await apply('broken', 'fails', { failure: { restarts: 1 } as Spec['failure'] & object });
    await until('broken', { phase: 'Running' });
    const job = await attemptOf('broken');
    for (const pod of await podsOf(job))
      await hand.podIs(pod, {
        phase: 'Failed',
        startTime: '2026-01-01T00:00:00Z',
        exitCode: 3,
        message: 'no such column',
      });
    await until('broken', { attempt: 1, restarts: 1, attempts: [{ class: 'UserError', exitCode: 3 }] });
    await attemptOf('broken', 1);
    await until('broken', { phase: 'Running', attempt: 1 });
  });

  test('whose LocalQueue is not there says so', async () => {
    await apply('astray', 'nowhere');
    await until('astray', { phase: 'Queued', queue: expect.stringContaining('nowhere') });
    await ground.addQueue(under.namespace, 'nowhere', GPUS);
    await until('astray', { phase: 'Running' });
  });
});

test('taken back and let go again while the operator is away, a job has a new gang, and nothing is counted', async () => {
  await ground.addQueue(under.namespace, 'away', GPUS);
  await apply('unseen', 'away');
  await until('unseen', { phase: 'Running', gang: expect.any(String) });
  const job = await attemptOf('unseen');
  const { gang } = (await status('unseen')) ?? {};
  await under.withoutOperator(async () => {
    await activate(job, false);
    await vi.waitFor(async () => expect(await podsOf(job)).toEqual([]), SOON);
    await activate(job, true);
    const running = [expect.objectContaining({ status: expect.objectContaining({ phase: 'Running' }) })];
    await vi.waitFor(async () => expect(await podsOf(job)).toEqual(running), SOON);
  });
  await vi.waitFor(async () => expect((await status('unseen'))?.gang).not.toBe(gang), SOON);
  expect(await status('unseen')).toMatchObject({ phase: 'Running', attempt: 0, restarts: 0 });
  expect(await status('unseen')).not.toHaveProperty('attempts');
});

test('docs/training.md names the Kueue that this is', () => {
  const page = readFileSync(new URL('../../../../docs/training.md', import.meta.url), 'utf8');
  expect(page).toContain(`Tested with Kueue ${ground.kueue.version.replace('v', '')} `);
});
