import type { TrainingJobStatus } from '@slipway/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AT,
  after,
  childJob,
  DIGEST,
  FAILURE,
  modelVersion,
  OTHER_DIGEST,
  pod,
} from '../../../test/trainingBuilders.ts';
import { attempt, claimed, kinds, ready, running, stalled, world } from '../../../test/trainingWorlds.ts';
import { PROGRESS_MS, plan } from './plan.ts';

const publishing: TrainingJobStatus = { ...running, phase: 'Publishing' };
const artifact = { uri: `pvc://models/flights/sha256-${'a'.repeat(64)}`, digest: DIGEST };

const publish = (end?: 'Complete' | 'Failed', ...pods: ReturnType<typeof pod>[]) => ({
  job: childJob('nightly-publish', end),
  pods,
});
const publisher = (message: string, exitCode = 0) =>
  pod({ container: 'publish', phase: exitCode === 0 ? 'Succeeded' : 'Failed', exitCode, message });
const report = JSON.stringify({ schema: 'slipway.dev/publish/v1', ...artifact, files: 3, bytes: 100 });
const termination = (reason: string) =>
  JSON.stringify({ schema: 'slipway.dev/termination/v1', reason, message: 'model.onnx is not there' });

describe('an attempt', () => {
  test('a new job first claims its version, and makes nothing before', () => {
    const got = plan(world(undefined));
    expect(got.claimVersion).toBe(true);
    expect(kinds(got)).toEqual([]);
  });

  test('is started once a version is claimed', () => {
    const got = plan(world(claimed));
    expect(got.actions).toMatchObject([{ kind: 'StartAttempt', attempt: 0, excludedNodes: [] }]);
    expect(got.status).toMatchObject({ phase: 'Pending', attempt: 0 });
  });

  test('that trains is Running since its kubelet took it on, and is looked at again for progress', () => {
    const training = pod({ phase: 'Running', startTime: AT, imageID: 'example.com/flights-train@sha256:1' });
    const got = plan(world(claimed, { attempt: attempt(undefined, training), report: { step: 1, total: 4 } }));
    expect(got.status).toMatchObject({
      phase: 'Running',
      startedAt: AT,
      image: 'example.com/flights-train@sha256:1',
      nodes: { active: 1, ready: 1, failed: 0 },
      progress: { step: 1, total: 4, percent: '25%' },
    });
    expect(got.next).toMatchObject({ kind: 'again', afterMs: PROGRESS_MS });
    expect(got.events.map(({ reason }) => reason)).toEqual(['TrainingStarted']);
  });

  test('that ended leaves its last progress as its termination message', () => {
    const ended = pod({ phase: 'Succeeded', exitCode: 0, message: '{"step":4,"total":4}' });
    const got = plan(world(running, { attempt: attempt('Complete', ended) }));
    expect(got.status.progress).toMatchObject({ step: 4, percent: '100%' });
    expect(got.status.phase).toBe('Publishing');
  });

  test('that no node takes says why in placement', () => {
    const why = '0 of 3 nodes: 3 have 40Gi < 80Gi.';
    const stuck = pod({ phase: 'Pending', unschedulable: '0/3 nodes are available' });
    const got = plan(world(claimed, { attempt: attempt(undefined, stuck), placement: why }));
    expect(ready(got)).toMatchObject({ status: 'False', reason: 'Unschedulable', message: why });
    expect(got.status.placement).toBe(why);
    expect(got.status.startedAt).toBeUndefined();
  });

  test('that is placed at last forgets why it was not', () => {
    const got = plan(world({ ...claimed, placement: 'no node' }, { attempt: attempt(undefined, pod()) }));
    expect(got.status).not.toHaveProperty('placement');
  });

  test('whose image can not be pulled waits, names the image, and has started the clock of the deadline', () => {
    const stuck = pod({ phase: 'Pending', startTime: AT, waiting: { reason: 'ErrImagePull', message: 'not found' } });
    const got = plan(
      world(claimed, { attempt: attempt(undefined, stuck) }, { failure: { ...FAILURE, restarts: 0, deadline: '2m' } }),
    );
    expect(ready(got)).toMatchObject({ reason: 'ImagePullFailed' });
    expect(ready(got)?.message).toContain('example.com/flights-train:1');
    expect(got.status.phase).toBe('Pending');
    expect(got.next).toMatchObject({ kind: 'again', afterMs: 60_000 });
  });

  test('that never found a node is not held to the deadline: it holds no accelerator', () => {
    const stuck = pod({ phase: 'Pending', unschedulable: 'no' });
    const late = { attempt: attempt(undefined, stuck), now: after(86_400) };
    expect(plan(world(claimed, late, { failure: { ...FAILURE, restarts: 0, deadline: '1m' } })).status.phase).toBe(
      'Pending',
    );
  });

  test('whose model is stored is past its deadline: an operator that was away would call a version failed that serves', () => {
    const stored = { ...publishing, trainedAt: AT, artifact };
    const got = plan(world(stored, { now: after(9_000) }, { failure: { ...FAILURE, deadline: '1m' } }));
    expect(got.status.phase).toBe('Publishing');
    expect(kinds(got)).toEqual(['CreateModelVersion']);
  });

  test.each<[string, number, string]>([
    ['in time is published, though nobody looked before its deadline was over', 60, 'Publishing'],
    ['too late fails', 61, 'Failed'],
  ])('that completed %s', (_name, seconds, phase) => {
    const job = childJob('nightly-a0', 'Complete', after(seconds).toISOString());
    const pods = [pod({ startTime: AT, exitCode: 0, phase: 'Succeeded' })];
    const away = { attempt: { job, pods }, now: after(9_000) };
    const got = plan(world(running, away, { failure: { ...FAILURE, deadline: '1m' } }));
    expect(got.status.phase).toBe(phase);
    expect(stalled(got)?.reason).toBe(phase === 'Failed' ? 'DeadlineExceeded' : 'Publishing');
  });

  test('that trained in time is stored, however late that is', () => {
    const late = { now: after(9_000) };
    const got = plan(world({ ...publishing, trainedAt: AT }, late, { failure: { ...FAILURE, deadline: '1m' } }));
    expect(kinds(got)).toEqual(['StartPublish']);
  });

  test('over its deadline fails and its pods are deleted', () => {
    const late = { attempt: attempt(undefined, pod({ startTime: AT })), now: after(60) };
    const got = plan(world(running, late, { failure: { ...FAILURE, restarts: 5, deadline: '1m' } }));
    expect(kinds(got)).toEqual(['DeleteJob']);
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'DeadlineExceeded' });
    expect(got.status).toMatchObject({ phase: 'Failed', finishedAt: '2026-01-01T00:01:00Z' });
  });

  test('that failed with restarts left is counted before the next one is made', () => {
    const died = pod({ phase: 'Failed', exitCode: 1 });
    const got = plan(world(running, { attempt: attempt('Failed', died) }, { failure: { ...FAILURE, restarts: 1 } }));
    expect(kinds(got)).toEqual([]);
    expect(got.status).toMatchObject({ phase: 'Pending', attempt: 1, restarts: 1, startedAt: AT });
    expect(got.next).toMatchObject({ kind: 'again' });
  });

  test('kubeflow/trainer#1749: that failed for good says exit code and last words in its conditions', () => {
    const died = pod({ phase: 'Failed', exitCode: 1, message: 'loss is NaN' });
    const got = plan(world(running, { attempt: attempt('Failed', died) }));
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'UserError' });
    expect(stalled(got)?.message).toContain('(exit code 1): loss is NaN');
    expect(got.events).toMatchObject([{ type: 'Warning', reason: 'UserError' }]);
  });

  test('whose Job a person deletes in mid-run is weighed as a failure, not silently run again', () => {
    const strict = plan(world(running, {}, { failure: { ...FAILURE, disruptions: 0 } }));
    expect(stalled(strict)).toMatchObject({ status: 'True', reason: 'AttemptLost' });
    expect(plan(world(running)).status).toMatchObject({ attempt: 1, restarts: 0, disruptions: 1 });
  });

  test('kubeflow/trainer#2713: that waits is never without a Ready and a Reconciling condition', () => {
    for (const status of [undefined, claimed]) {
      expect(plan(world(status)).observed.map(({ type }) => type)).toEqual(['Ready', 'Reconciling', 'Stalled']);
    }
  });
});

describe('publishing', () => {
  test('starts with the output of the attempt that succeeded', () => {
    const got = plan(world({ ...publishing, attempt: 2 }));
    expect(got.actions).toEqual([{ kind: 'StartPublish', version: '0.1.0', attempt: 2 }]);
  });

  test('goes on without the Job of the attempt: a person may have deleted it', () => {
    expect(kinds(plan(world(publishing)))).toEqual(['StartPublish']);
  });

  test('that succeeded is remembered as an artifact before a version is made of it', () => {
    const got = plan(world(publishing, { publish: publish('Complete', publisher(report)) }));
    expect(got.status.artifact).toEqual(artifact);
    expect(kinds(got)).toEqual([]);
  });

  test('ends in a ModelVersion with provenance and the gates, and without an owner', () => {
    const gates = [{ name: 'accuracy', metric: 'accuracy' as const, min: '0.8' }];
    const spec = { gates, parameters: { lr: '0.1' }, source: { repository: 'r', revision: 'c' } };
    const stored = { ...publishing, artifact, image: 'example.com/flights-train@sha256:1' };
    const got = plan(world(stored, { attempt: attempt('Complete') }, spec));
    const [action] = got.actions;
    expect(action).toMatchObject({
      kind: 'CreateModelVersion',
      modelVersion: {
        metadata: { name: 'flights-0.1.0', namespace: 'ml' },
        spec: {
          artifact: { ...artifact, format: 'ONNX' },
          gates,
          provenance: {
            trainingJob: 'nightly',
            trainingJobUid: 'tj-uid',
            image: 'example.com/flights-train@sha256:1',
            parameters: { lr: '0.1' },
            source: { repository: 'r', revision: 'c' },
            startedAt: AT,
            finishedAt: AT,
          },
        },
      },
    });
    expect(JSON.stringify(action)).not.toContain('ownerReferences');
  });

  test('promotion, retention, credentials, data, parent and trigger go into the ModelVersion', () => {
    const spec = {
      nodes: 2,
      accelerator: { resource: 'nvidia.com/gpu', count: 4 },
      promotion: { stage: 'Staging' as const, approval: 'TwoPeople' as const },
      publish: { store: 's3://models', secretRef: { name: 's3' }, retention: { newest: 3 } },
      datasets: [
        { name: 'train', uri: 's3://lake/train', unpinned: true },
        { name: 'test', uri: 's3://lake/test', digest: OTHER_DIGEST },
      ],
    };
    const stored = { ...publishing, artifact, attempt: 2, datasets: [{ name: 'train', digest: DIGEST }] };
    const bare = world(stored, {}, spec);
    const annotations = { 'slipway.dev/parent': 'flights-0.0.9', 'slipway.dev/trigger': 'drift of carrier' };
    const tj = { ...bare.tj, metadata: { ...bare.tj.metadata, annotations } };
    const [action] = plan({ ...bare, tj }).actions;
    expect(action).toMatchObject({
      kind: 'CreateModelVersion',
      modelVersion: {
        spec: {
          stage: 'Staging',
          approval: 'TwoPeople',
          retention: { newest: 3 },
          artifact: { secretRef: { name: 's3' } },
          provenance: {
            datasets: [
              { name: 'train', uri: 's3://lake/train', digest: DIGEST },
              { name: 'test', uri: 's3://lake/test', digest: OTHER_DIGEST },
            ],
            parent: 'flights-0.0.9',
            trigger: 'drift of carrier',
            attempt: 2,
            nodes: 2,
            accelerator: '4 x nvidia.com/gpu',
          },
        },
      },
    });
  });

  test('succeeds once the ModelVersion is there with our digest, whoever made it', () => {
    const got = plan(world({ ...publishing, artifact }, { modelVersion: modelVersion(DIGEST) }));
    expect(got.status).toMatchObject({ phase: 'Succeeded', modelVersion: 'flights-0.1.0' });
    expect(ready(got)).toMatchObject({ status: 'True', reason: 'Succeeded' });
  });

  test('a version bound to another digest is never overwritten', () => {
    const got = plan(world({ ...publishing, artifact }, { modelVersion: modelVersion(OTHER_DIGEST) }));
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'VersionTaken' });
    expect(kinds(got)).toEqual([]);
  });

  test('that names a fault of the output fails at once, though retries are left', () => {
    const got = plan(world(publishing, { publish: publish(undefined, publisher(termination('ModelMissing'), 1)) }));
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'ModelMissing' });
    expect(stalled(got)?.message).toContain('model.onnx is not there');
    expect(kinds(got)).toEqual(['DeleteJob']);
  });

  test('that died of something else is tried again by its Job, until that gives up', () => {
    const died = publisher('killed', 137);
    expect(plan(world(publishing, { publish: publish(undefined, died) })).status.phase).toBe('Publishing');
    const got = plan(world(publishing, { publish: publish('Failed', died) }));
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'PublishFailed' });
  });

  test('whose pod is gone with its report is done again: it stores nothing twice', () => {
    expect(kinds(plan(world(publishing, { publish: publish('Complete') })))).toEqual(['DeleteJob']);
  });

  test('that ends well without a report is a failure that shows what it said', () => {
    const got = plan(world(publishing, { publish: publish('Complete', publisher('hello')) }));
    expect(stalled(got)).toMatchObject({ reason: 'PublishFailed' });
    expect(stalled(got)?.message).toContain('hello');
  });

  test('that no node takes says so', () => {
    const stuck = pod({
      container: 'publish',
      phase: 'Pending',
      unschedulable: 'persistentvolumeclaim "models" not found',
    });
    const got = plan(world(publishing, { publish: publish(undefined, stuck) }));
    expect(ready(got)).toMatchObject({ reason: 'Unschedulable' });
    expect(ready(got)?.message).toContain('persistentvolumeclaim "models" not found');
  });
});

describe('a finished job', () => {
  const phases = ['Succeeded', 'Failed'] as const;
  const conditions = [
    {
      type: 'Ready',
      status: 'True' as const,
      reason: 'Succeeded',
      message: '',
      observedGeneration: 1,
      lastTransitionTime: AT,
    },
  ];

  test.each(phases)('kubeflow/trainer#3779: a child of a %s job deleted by TTL is never made again', (phase) => {
    const got = plan(world({ ...running, phase, artifact, conditions }));
    expect(kinds(got)).toEqual([]);
    expect(got.status).toMatchObject({ phase, artifact });
    expect(got.observed).toEqual(conditions);
  });

  test('never changes its mind, whatever its children do', () => {
    const end = fc.constantFrom(undefined, 'Complete' as const, 'Failed' as const);
    fc.assert(
      fc.property(fc.constantFrom(...phases), end, fc.integer({ min: 0, max: 255 }), (phase, how, exitCode) => {
        const children = attempt(how, pod({ phase: exitCode === 0 ? 'Succeeded' : 'Failed', exitCode }));
        const got = plan(world({ ...running, phase }, { attempt: children, publish: publish(how) }));
        expect(got.status.phase).toBe(phase);
        expect(kinds(got)).not.toContain('StartAttempt');
        expect(got.next).toEqual({ kind: 'settled' });
      }),
    );
  });

  test('that failed while pods still ran keeps asking for their end', () => {
    expect(kinds(plan(world({ ...running, phase: 'Failed' }, { attempt: attempt(undefined, pod()) })))).toEqual([
      'DeleteJob',
    ]);
  });
});

test('Reconciling and Stalled are never true together, whatever the world', () => {
  const status = fc.constantFrom(undefined, claimed, running, publishing, { ...publishing, artifact });
  const end = fc.constantFrom(undefined, 'Complete' as const, 'Failed' as const);
  const aPod = fc.record({
    phase: fc.constantFrom('Pending' as const, 'Running' as const, 'Failed' as const, 'Succeeded' as const),
    exitCode: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(
      status,
      end,
      end,
      fc.array(aPod, { maxLength: 3 }),
      fc.nat(200_000),
      (s, how, published, pods, seconds) => {
        const made = pods.map((facts, index) => pod({ ...facts, index }));
        const got = plan(
          world(
            s,
            { attempt: attempt(how, ...made), publish: publish(published, ...made), now: after(seconds) },
            {
              failure: { ...FAILURE, restarts: 1, deadline: '1d' },
            },
          ),
        );
        const truths = new Map(got.observed.map(({ type, status: truth }) => [type, truth]));
        expect(
          [truths.get('Reconciling'), truths.get('Stalled'), truths.get('Ready')].filter((t) => t === 'True'),
        ).toHaveLength(1);
      },
    ),
  );
});
