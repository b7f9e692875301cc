import { encodeReport } from '@slipway/crds';
import { API_VERSION } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runControllers, type UnderTest } from '../../../test/controllersUnderTest.ts';
import { expectStatus } from '../../../test/expectStatus.ts';
import { HandDrivenJobs } from '../../../test/jobController.ts';
import { passOverCached } from '../../../test/passOverCached.ts';
import { DIGEST, FAILURE, OTHER_DIGEST } from '../../../test/trainingBuilders.ts';
import { configMaps, jobs, persistentVolumeClaims, secrets, services } from '../../api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import type { OperatorConfig } from '../../config.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { events } from '../../kube/events.ts';
import { trainingJobController } from './controller.ts';

type Spec = Partial<TrainingJob['spec']>;
type Manifest = Omit<TrainingJob, 'spec'> & { spec: Spec };

const ANSWER = JSON.stringify({ step: 2, total: 8, metrics: { loss: 0.5 }, at: '2026-01-01T00:00:00Z' });
const asked: { url: string; token: string }[] = [];

let under: UnderTest;
let hand: HandDrivenJobs;

const controller = (config: OperatorConfig) =>
  trainingJobController(config, {
    newToken: () => 'a-token',
    fetchText: async (url, token) => {
      asked.push({ url, token });
      return ANSWER;
    },
  });

beforeAll(async () => {
  under = await runControllers(inject('kubeconfig'), (config) => [controller(config)]);
  hand = new HandDrivenJobs(under.client);
});
afterAll(() => under.stop());

/** Applies a TrainingJob of the model of its own name, so that tests do not compete for versions. */
async function apply(name: string, spec: Spec = {}) {
  const manifest: Manifest = {
    apiVersion: API_VERSION,
    kind: 'TrainingJob',
    metadata: { name, namespace: under.namespace },
    spec: {
      model: { name, version: 'NextMinor' },
      image: 'example.com/train:1',
      publish: { store: 'pvc://models' },
      ...spec,
    },
  };
  return under.client.create(trainingJobs, manifest as TrainingJob);
}

const attemptOf = (name: string, attempt = 0) => under.until(jobs, `${name}-a${attempt}`);
const publishOf = (name: string) => under.until(jobs, `${name}-publish`);
const phase = (name: string, want: string) =>
  under.until(trainingJobs, name, ({ status }) => expect(status?.phase, JSON.stringify(status)).toBe(want));
const reason = (name: string, want: string) =>
  under.until(trainingJobs, name, ({ status }) => expect(status?.conditions?.[0]?.reason).toBe(want));

const report = (name: string, digest = DIGEST): string =>
  encodeReport({
    schema: 'slipway.dev/publish/v1',
    uri: `pvc://models/${name}/${digest.replace(':', '-')}`,
    digest,
    files: 3,
    bytes: 100,
  }) ?? '';

/** Lets the attempt and the publisher end well. */
async function trainAndPublish(name: string, digest = DIGEST): Promise<void> {
  const attempt = await attemptOf(name);
  await hand.pod(attempt, { phase: 'Succeeded', exitCode: 0, startTime: '2026-01-01T00:00:00Z' });
  await hand.end(attempt, 'Complete');
  const publish = await publishOf(name);
  await hand.pod(publish, { container: 'publish', phase: 'Succeeded', exitCode: 0, message: report(name, digest) });
  await hand.end(publish, 'Complete');
}

describe('from a manifest to a ModelVersion', () => {
  test('trains, reports progress, publishes, and ends in a version with provenance', async () => {
    await apply('whole', {
      parameters: { lr: '0.1' },
      gates: [{ name: 'accuracy', metric: 'accuracy', min: '0.8' }],
      source: { repository: 'https://example.com/r', revision: 'abc' },
    });
    const attempt = await attemptOf('whole');
    for (const [kind, child] of [
      [persistentVolumeClaims, 'whole-workspace'],
      [configMaps, 'whole-parameters'],
      [services, 'whole-training'],
      [secrets, 'whole-training-admin'],
    ] as const) {
      const { metadata } = await under.until(kind, child);
      expect(metadata.ownerReferences?.[0]).toMatchObject({ kind: 'TrainingJob', name: 'whole' });
    }
    const pod = await hand.pod(attempt, { phase: 'Pending' });
    await hand.podIs(pod, {
      phase: 'Running',
      startTime: '2026-01-01T00:00:00Z',
      imageID: 'example.com/train@sha256:1',
      podIP: '10.0.0.7',
    });
    const training = await under.until(trainingJobs, 'whole', ({ status }) => {
      expect(status).toMatchObject({ phase: 'Running', progress: { percent: '25%', metrics: { loss: '0.5' } } });
    });
    expect(training.status).toMatchObject({ version: '0.1.0', attempt: 0, image: 'example.com/train@sha256:1' });
    expect(asked).toContainEqual({ url: 'http://10.0.0.7:9090/slipway/v1/progress', token: 'a-token' });
    expect(expectStatus(training)).toMatchObject({ Ready: 'False', Reconciling: 'True' });

    await hand.podIs(pod, {
      phase: 'Succeeded',
      exitCode: 0,
      startTime: '2026-01-01T00:00:00Z',
      imageID: 'example.com/train@sha256:1',
    });
    await hand.end(attempt, 'Complete');
    const publish = await publishOf('whole');
    await hand.pod(publish, { container: 'publish', phase: 'Succeeded', exitCode: 0, message: report('whole') });
    await hand.end(publish, 'Complete');

    const done = await phase('whole', 'Succeeded');
    expect(expectStatus(done)).toEqual({ Ready: 'True', Reconciling: 'False', Stalled: 'False' });
    expect(done.status).toMatchObject({ modelVersion: 'whole-0.1.0', artifact: { digest: DIGEST } });
    const version = await under.until(modelVersions, 'whole-0.1.0');
    expect(version.metadata.ownerReferences).toBeUndefined();
    expect(version.spec).toMatchObject({
      model: 'whole',
      version: '0.1.0',
      artifact: { digest: DIGEST },
      gates: [{ name: 'accuracy', min: '0.8' }],
      provenance: {
        trainingJob: 'whole',
        image: 'example.com/train@sha256:1',
        parameters: { lr: '0.1' },
        source: { revision: 'abc' },
        startedAt: '2026-01-01T00:00:00Z',
      },
    });
  });

  test('kubeflow/trainer#3779: a child of a finished job deleted by TTL is never made again', async () => {
    await apply('expired');
    await trainAndPublish('expired');
    const done = await phase('expired', 'Succeeded');
    await hand.vanish(await attemptOf('expired'));
    await hand.vanish(await publishOf('expired'));
    // The deletions ask for a pass over this job; one made after them going through all its passes shows that it was.
    await apply('witness');
    await attemptOf('witness');
    expect(await under.client.get(jobs, { namespace: under.namespace, name: 'expired-a0' })).toBeUndefined();
    expect(await under.client.get(jobs, { namespace: under.namespace, name: 'expired-publish' })).toBeUndefined();
    expect((await phase('expired', 'Succeeded')).status).toEqual(done.status);
  });

  test('two jobs that both say NextMinor at once make two versions', async () => {
    await Promise.all(
      ['twin-a', 'twin-b', 'twin-c'].map((name) => apply(name, { model: { name: 'twin', version: 'NextMinor' } })),
    );
    const versions = await Promise.all(
      ['twin-a', 'twin-b', 'twin-c'].map(async (name) => (await phase(name, 'Pending')).status?.version),
    );
    expect(versions.toSorted()).toEqual(['0.1.0', '0.2.0', '0.3.0']);
  });

  test('a version that exists is refused before anything is trained', async () => {
    await apply('taken');
    await trainAndPublish('taken');
    await phase('taken', 'Succeeded');
    await apply('taken-again', { model: { name: 'taken', version: '0.1.0' } });
    const refused = await reason('taken-again', 'VersionTaken');
    expect(expectStatus(refused)).toMatchObject({ Ready: 'False', Stalled: 'True' });
    expect(refused.status?.conditions?.[0]?.message).toContain('ModelVersion taken-0.1.0');
    expect(await under.client.get(jobs, { namespace: under.namespace, name: 'taken-again-a0' })).toBeUndefined();
  });

  test('a version made by someone else meanwhile is not overwritten', async () => {
    await apply('raced');
    await attemptOf('raced');
    await under.client.create(modelVersions, {
      apiVersion: API_VERSION,
      kind: 'ModelVersion',
      metadata: { name: 'raced-0.1.0', namespace: under.namespace },
      spec: {
        model: 'raced',
        version: '0.1.0',
        artifact: { uri: 'pvc://models/raced/by-hand', digest: OTHER_DIGEST, format: 'ONNX' },
      },
    });
    await trainAndPublish('raced');
    await reason('raced', 'VersionTaken');
    expect((await under.until(modelVersions, 'raced-0.1.0')).spec.artifact.digest).toBe(OTHER_DIGEST);
  });
});

describe('what goes wrong ends in a condition that names it', () => {
  test('exit code 1: the last words, and an Event', async () => {
    const { metadata } = await apply('exits');
    const attempt = await attemptOf('exits');
    await hand.pod(attempt, { phase: 'Failed', exitCode: 1, message: 'Traceback\nKeyError: label' });
    await hand.end(attempt, 'Failed');
    const failed = await reason('exits', 'UserError');
    expect(expectStatus(failed)).toEqual({ Ready: 'False', Reconciling: 'False', Stalled: 'True' });
    expect(failed.status?.conditions?.[0]?.message).toContain('(exit code 1): Traceback | KeyError: label');
    await expect
      .poll(async () =>
        (await under.client.list(events, under.namespace)).map(
          ({ regarding, reason: why }) => `${regarding?.uid} ${why}`,
        ),
      )
      .toContain(`${metadata.uid} UserError`);
  });

  test('out of memory under a limit: no blind retry', async () => {
    await apply('greedy', { resources: { limits: { memory: '1Gi' } }, failure: { ...FAILURE, restarts: 3 } });
    const attempt = await attemptOf('greedy');
    await hand.pod(attempt, { phase: 'Failed', exitCode: 137, reason: 'OOMKilled' });
    await hand.end(attempt, 'Failed');
    const failed = await reason('greedy', 'OutOfMemory');
    expect(failed.status).toMatchObject({ phase: 'Failed', restarts: 0 });
    expect(failed.status?.conditions?.[0]?.message).toContain('1Gi');
  });

  test('the budgets are spent on whole attempts, and are not refilled by deleting one', {
    timeout: 60_000,
  }, async () => {
    await apply('flaky', { nodes: 2, failure: { ...FAILURE, restarts: 1, disruptions: 0 } });
    const first = await attemptOf('flaky', 0);
    expect(first.spec?.completions).toBe(2);
    await hand.pod(first, { index: 1, phase: 'Failed', exitCode: 9 });
    await hand.end(first, 'Failed');
    const waiting = await under.until(trainingJobs, 'flaky', ({ status }) => expect(status?.attempt).toBe(1));
    expect(waiting.status).toMatchObject({
      restarts: 1,
      nextAttemptAt: expect.any(String),
      attempts: [{ attempt: 0, class: 'UserError', exitCode: 9 }],
    });
    const second = await attemptOf('flaky', 1);
    expect(Date.parse(second.metadata.creationTimestamp ?? '')).toBeGreaterThanOrEqual(
      Date.parse(waiting.status?.nextAttemptAt ?? ''),
    );
    await hand.vanish(first);
    await hand.pod(second, { phase: 'Running', startedAt: rfc3339(new Date()) });
    await phase('flaky', 'Running');
    await hand.vanish(second);
    const failed = await reason('flaky', 'AttemptLost');
    expect(failed.status).toMatchObject({ phase: 'Failed', restarts: 1 });
    expect(await under.client.get(jobs, { namespace: under.namespace, name: 'flaky-a2' })).toBeUndefined();
  });

  test('no node takes it: why not in placement, and no failure', async () => {
    await apply('homeless');
    const attempt = await attemptOf('homeless');
    const pod = await hand.pod(attempt, {
      phase: 'Pending',
      unschedulable: '0/3 nodes are available: 3 Insufficient cpu.',
    });
    const stuck = await reason('homeless', 'Unschedulable');
    expect(stuck.status).toMatchObject({ phase: 'Pending' });
    expect(stuck.status?.placement).toContain('The cluster has no nodes');
    expect(expectStatus(stuck)).toMatchObject({ Ready: 'False', Reconciling: 'True', Stalled: 'False' });
    await hand.podIs(pod, { phase: 'Running' });
    expect((await phase('homeless', 'Running')).status).not.toHaveProperty('placement');
  });

  test('an image that can not be pulled is named while it is waited for', async () => {
    await apply('typo');
    await hand.pod(await attemptOf('typo'), {
      phase: 'Pending',
      waiting: { reason: 'ImagePullBackOff', message: 'no such image' },
    });
    const stuck = await reason('typo', 'ImagePullFailed');
    expect(stuck.status?.conditions?.[0]?.message).toContain('example.com/train:1');
  });

  test('over its deadline it fails and its Job is deleted', async () => {
    await apply('slow', { failure: { ...FAILURE, restarts: 5, deadline: '1h' } });
    await hand.pod(await attemptOf('slow'), { phase: 'Running', startTime: '2020-01-01T00:00:00Z' });
    const failed = await reason('slow', 'DeadlineExceeded');
    expect(failed.status).toMatchObject({ phase: 'Failed', restarts: 0 });
    await under.untilGone(jobs, 'slow-a0');
  });

  test('kubeflow/trainer#3737: a job that was given up is not run again, whatever an old cache says', async () => {
    await apply('given-up', { failure: { ...FAILURE, restarts: 5, deadline: '1h' } });
    const attempt = await attemptOf('given-up');
    const old = await under.until(trainingJobs, 'given-up', ({ status }) => expect(status?.phase).toBe('Pending'));
    await hand.pod(attempt, { phase: 'Running', startTime: '2020-01-01T00:00:00Z' });
    await reason('given-up', 'DeadlineExceeded');
    await under.untilGone(jobs, 'given-up-a0');

    await passOverCached(under.client, controller(under.config), trainingJobs, old);
    expect((await under.until(trainingJobs, 'given-up')).status?.phase).toBe('Failed');
    await under.untilGone(jobs, 'given-up-a0');
  });

  test('a claim of a person’s own by the name of the workspace is left alone, and named', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'squatted-workspace', namespace: under.namespace },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } },
    };
    const theirs = await under.client.create(persistentVolumeClaims, claim);
    await apply('squatted');
    const stuck = await reason('squatted', 'NameTaken');
    expect(stuck.status?.conditions?.[0]?.message).toContain('PersistentVolumeClaim squatted-workspace');
    const still = await under.until(persistentVolumeClaims, 'squatted-workspace');
    expect(still.metadata.resourceVersion).toBe(theirs.metadata.resourceVersion);
  });

  test('a model that the publisher finds fault with is named, and no version is made', async () => {
    await apply('empty');
    const attempt = await attemptOf('empty');
    await hand.pod(attempt, { phase: 'Succeeded', exitCode: 0 });
    await hand.end(attempt, 'Complete');
    const message = encodeReport({
      schema: 'slipway.dev/termination/v1',
      reason: 'ModelMissing',
      message: 'output/model has no model.onnx',
    });
    await hand.pod(await publishOf('empty'), {
      container: 'publish',
      phase: 'Failed',
      exitCode: 1,
      message: message ?? '',
    });
    const failed = await reason('empty', 'ModelMissing');
    expect(failed.status?.conditions?.[0]?.message).toContain('output/model has no model.onnx');
    expect(
      await under.client.list(modelVersions, under.namespace, { labelSelector: 'slipway.dev/model=empty' }),
    ).toEqual([]);
  });
});
