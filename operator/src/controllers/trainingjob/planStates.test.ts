import type { TrainingJobStatus } from '@slipway/crds';
import { LABELS } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { AT, after, childJob, DIGEST, FAILURE, pod } from '../../../test/trainingBuilders.ts';
import { attempt, claimed, kinds, ready, running, stalled, world } from '../../../test/trainingWorlds.ts';
import { plan } from './plan.ts';

const accelerator = { resource: 'nvidia.com/gpu', count: 4 };
const died = () => pod({ phase: 'Failed', exitCode: 1 });
const ran = (index: number, facts: Parameters<typeof pod>[0] = {}) => pod({ index, startTime: AT, ...facts });

describe('a suspended job', () => {
  const suspended = { suspend: true };

  test('is written as suspended before its pods are ended, so that their end is never a failure', () => {
    const got = plan(world(running, { attempt: attempt(undefined, ran(0)) }, { ...suspended, accelerator }));
    expect(kinds(got)).toEqual([]);
    expect(got.status).toMatchObject({ phase: 'Suspended', attempt: 1, restarts: 0, acceleratorSeconds: 240 });
    const next = plan(world(got.status, { leftovers: { jobs: [childJob('nightly-a0')], pods: [] } }, suspended));
    expect(kinds(next)).toEqual(['DeleteJob']);
    expect(next.status).toMatchObject({ attempt: 1, acceleratorSeconds: 240 });
  });

  test('that never started makes nothing', () => {
    const got = plan(world(claimed, {}, suspended));
    expect(kinds(got)).toEqual([]);
    expect(got.status).toMatchObject({ phase: 'Suspended', attempt: 0 });
  });

  test('that never started, as the pattern of retrainings, holds no version until it goes on', () => {
    const never = plan(world({}, {}, suspended));
    expect(never.claimVersion).toBeUndefined();
    expect(never.status).toMatchObject({ phase: 'Suspended' });
    expect(plan(world(never.status)).claimVersion).toBe(true);
  });

  test('goes on as a new attempt that costs nothing', () => {
    const got = plan(world({ ...claimed, phase: 'Suspended', attempt: 1 }));
    expect(got.actions).toMatchObject([{ kind: 'StartAttempt', attempt: 1 }]);
    expect(got.status).toMatchObject({ restarts: 0 });
  });

  test('whose attempt had just ended well or badly keeps that', () => {
    expect(plan(world(running, { attempt: attempt('Complete') }, suspended)).status.trainedAt).toBeDefined();
    const lost = plan(world(running, { attempt: attempt('Failed', died()) }, suspended));
    expect(stalled(lost)).toMatchObject({ status: 'True', reason: 'UserError' });
  });

  test('that is trained publishes nothing until it goes on', () => {
    const trained = { ...running, phase: 'Publishing' as const, trainedAt: AT };
    const publish = { job: childJob('nightly-publish'), pods: [] };
    const got = plan(world(trained, { publish }, suspended));
    expect(kinds(got)).toEqual(['DeleteJob']);
    expect(got.status.phase).toBe('Suspended');
    expect(kinds(plan(world({ ...trained, phase: 'Suspended' })))).toEqual(['StartPublish']);
  });
});

describe('a job in a queue', () => {
  const queue = { queue: 'team-a', nodes: 2 };
  const held = (status: object = {}) => ({ ...childJob('nightly-a0'), spec: { suspend: true, template: {} }, status });

  test('kubeflow/trainer#2713: is Queued and says what Kueue says', () => {
    const got = plan(
      world(claimed, { attempt: { job: held(), pods: [] }, queue: 'Pending: insufficient quota' }, queue),
    );
    expect(got.status).toMatchObject({ phase: 'Queued', queue: 'Pending: insufficient quota' });
    expect(ready(got)).toMatchObject({ reason: 'Queued', message: 'Pending: insufficient quota' });
    expect(kinds(got)).toEqual([]);
  });

  test('kueue#7649: that is taken back in mid-run waits again, costs nothing, and its next pods are a new gang', () => {
    const ending = [ran(0, { deleted: '2026-01-01T00:01:20Z' })];
    const got = plan(world({ ...running, gang: 'g' }, { attempt: { job: held(), pods: ending } }, queue));
    expect(got.status).toMatchObject({ phase: 'Queued', attempt: 0, restarts: 0 });
    expect(got.status).not.toHaveProperty('gang');
    expect(got.status).not.toHaveProperty('attempts');
  });

  test('that is taken back is brought to account once, however long its pods take to end', () => {
    const ending = { attempt: { job: held(), pods: [ran(0, { deleted: '2026-01-01T00:01:20Z' })] } };
    const first = plan(world(running, ending, { ...queue, accelerator }));
    expect(first.status.acceleratorSeconds).toBe(4 * 60);
    const second = plan(world(first.status, { ...ending, now: after(90) }, { ...queue, accelerator }));
    expect(second.status.acceleratorSeconds).toBe(4 * 60);
  });

  test('kubernetes-sigs/jobset#1208: taken back after some pods were done, the whole gang starts anew', () => {
    const got = plan(world(running, { attempt: { job: held({ completedIndexes: '1' }), pods: [] } }, queue));
    expect(got.status).toMatchObject({ attempt: 1, disruptions: 1 });
  });

  const unseen = { ...running, gang: 'of-old' };
  const letGo = (status: object = {}) => {
    const startTime = '2026-01-01T00:00:50Z';
    return { ...childJob('nightly-a0'), spec: { suspend: false, template: {} }, status: { startTime, ...status } };
  };

  test('that was taken back and let go while nobody looked has a new gang, and costs nothing', () => {
    const pods = [0, 1].map((index) => ran(index, { startTime: '2026-01-01T00:00:52Z' }));
    const got = plan(world(unseen, { attempt: { job: letGo(), pods } }, queue));
    expect(got.status).toMatchObject({ phase: 'Running', attempt: 0, attemptStartedAt: '2026-01-01T00:00:52Z' });
    expect(got.status.gang).not.toBe('of-old');
    expect(got.status).not.toHaveProperty('attempts');
    const missing = plan(world(unseen, { attempt: { job: letGo(), pods: [] } }, queue));
    expect(missing.status).toMatchObject({ attempt: 0, restarts: 0 });
    expect(missing.status).not.toHaveProperty('gang');
  });

  test('whose pod was deleted in mid-run is a gang with a gap, in a queue as without one', () => {
    const job = letGo({ startTime: AT });
    const got = plan(world(unseen, { attempt: { job, pods: [ran(0)] } }, queue));
    expect(got.status).toMatchObject({ attempt: 1, disruptions: 1, attempts: [{ class: 'AttemptLost' }] });
  });

  test('kubernetes-sigs/jobset#1208: let go unseen with some pods done, the whole gang starts anew', () => {
    const got = plan(world(unseen, { attempt: { job: letGo({ completedIndexes: '1' }), pods: [] } }, queue));
    expect(got.status).toMatchObject({ attempt: 1, disruptions: 1 });
  });

  test.each([
    [5, 5_000],
    [0, 1_000],
    [3_600, 60_000],
  ])('that its queue has held for %i s is looked at again after %i ms', (age, afterMs) => {
    const suspended = { type: 'Suspended', status: 'True', lastTransitionTime: AT };
    const job = held({ conditions: [suspended] });
    const got = plan(world(claimed, { attempt: { job, pods: [] }, now: after(age) }, queue));
    expect(got.next).toMatchObject({ kind: 'again', afterMs });
  });

  test('that is let go runs like one without a queue', () => {
    const job = { ...held(), spec: { suspend: false, template: {} } };
    const got = plan(
      world({ ...claimed, phase: 'Queued', queue: 'x' }, { attempt: { job, pods: [ran(0), ran(1)] } }, queue),
    );
    expect(got.status.phase).toBe('Running');
    expect(got.status).not.toHaveProperty('queue');
  });
});

describe('publishing when asked', () => {
  const asked = { publish: { store: 'pvc://models', when: 'Asked' as const }, failure: { ...FAILURE, deadline: '1h' } };
  const trained: TrainingJobStatus = { phase: 'Trained', attempt: 0, trainedAt: AT, startedAt: AT };

  test('no version is claimed before: it trains without one', () => {
    expect(plan(world(undefined, {}, asked)).actions).toMatchObject([{ kind: 'StartAttempt', attempt: 0 }]);
  });

  test('what is trained waits, says how to ask, and no deadline strikes', () => {
    const got = plan(world(trained, { now: after(1e6) }, asked));
    expect(got.status.phase).toBe('Trained');
    expect(ready(got)?.message).toContain('slipway.dev/publish=tj-uid');
    expect(got.next).toEqual({ kind: 'settled' });
  });

  test('the uid of another job, as in a copied manifest, asks for nothing', () => {
    const bare = world(trained, {}, asked);
    const copied = { ...bare.tj, metadata: { ...bare.tj.metadata, annotations: { 'slipway.dev/publish': 'other' } } };
    expect(plan({ ...bare, tj: copied }).status.phase).toBe('Trained');
    const meant = { ...bare.tj, metadata: { ...bare.tj.metadata, annotations: { 'slipway.dev/publish': 'tj-uid' } } };
    expect(plan({ ...bare, tj: meant }).claimVersion).toBe(true);
  });

  test('once its version is claimed it is published, whether or not the annotation stays', () => {
    expect(kinds(plan(world({ ...trained, version: '0.1.0' }, {}, asked)))).toEqual(['StartPublish']);
  });
});

test('the version that a trial makes tells its sweep, which may take the trial along before anyone has looked', () => {
  const stored = {
    ...running,
    phase: 'Publishing' as const,
    trainedAt: AT,
    artifact: { uri: 'pvc://m/x', digest: DIGEST },
  };
  const bare = world(stored);
  const trial = { ...bare.tj, metadata: { ...bare.tj.metadata, labels: { [LABELS.sweep]: 'flights-r1' } } };
  const labels = { [LABELS.sweep]: 'flights-r1', [LABELS.trainingJob]: 'nightly' };
  expect(plan({ ...bare, tj: trial }).actions).toMatchObject([{ modelVersion: { metadata: { labels } } }]);
  expect(JSON.stringify(plan(bare).actions)).not.toContain(LABELS.sweep);
});

describe('the time to live', () => {
  const finished = { ...running, phase: 'Succeeded' as const, finishedAt: AT };

  test('kubeflow/trainer#1533: a finished job asks for a pass at the very second it is to go', () => {
    const got = plan(world(finished, {}, { ttlAfterFinished: '1h' }));
    expect(kinds(got)).toEqual([]);
    expect(got.next).toMatchObject({ kind: 'again', afterMs: 3_540_000 });
  });

  test('kubeflow/trainer#2899: and goes, itself and not only its children', () => {
    expect(kinds(plan(world(finished, { now: after(3600) }, { ttlAfterFinished: '1h' })))).toEqual(['DeleteSelf']);
  });

  test('without one it stays', () => {
    expect(plan(world(finished, { now: after(1e8) })).next).toEqual({ kind: 'settled' });
  });
});
