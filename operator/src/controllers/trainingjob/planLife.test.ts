import type { TrainingJobStatus } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { AT, after, childJob, FAILURE, pod } from '../../../test/trainingBuilders.ts';
import { attempt, claimed, kinds, ready, running, stalled, world } from '../../../test/trainingWorlds.ts';
import { gangOf } from '../../domain/training/gang.ts';
import { plan } from './plan.ts';
import type { World } from './world.ts';

const accelerator = { resource: 'nvidia.com/gpu', count: 4 };
const died = (facts: Parameters<typeof pod>[0] = {}) => pod({ phase: 'Failed', exitCode: 1, ...facts });
const ran = (index: number, facts: Parameters<typeof pod>[0] = {}) => pod({ index, startTime: AT, ...facts });

describe('an attempt that failed', () => {
  const failed = (facts: Parameters<typeof pod>[0], status: Partial<TrainingJobStatus> = {}, spec = {}) =>
    plan(
      world(
        { ...running, ...status },
        { attempt: attempt('Failed', died(facts)) },
        { failure: { ...FAILURE, restarts: 3 }, ...spec },
      ),
    );

  test('goes into the history with class, pod, node, exit code and times, and the next one waits 10 s', () => {
    const got = failed({ message: 'KeyError: label', node: 'n1' });
    expect(got.status).toMatchObject({ attempt: 1, restarts: 1, nextAttemptAt: '2026-01-01T00:01:10Z' });
    expect(got.status.attempts).toEqual([
      {
        attempt: 0,
        startedAt: AT,
        endedAt: '2026-01-01T00:01:00Z',
        class: 'UserError',
        message: 'Pod nightly-a0-0 on node n1 failed (exit code 1): KeyError: label',
        pod: 'nightly-a0-0',
        node: 'n1',
        exitCode: 1,
      },
    ]);
    expect(got.events.map(({ reason }) => reason)).toEqual(['UserError', 'Restarting']);
    expect(got.status).not.toHaveProperty('gang');
    expect(got.status).not.toHaveProperty('attemptStartedAt');
  });

  const short = { endedAt: AT, startedAt: AT, class: 'UserError' as const, message: '', attempt: 0 };
  const long = { ...short, endedAt: '2026-01-01T00:11:00Z' };
  test.each([
    ['the second in a row waits 20 s', [short], 20],
    ['the third 40 s', [short, short], 40],
    ['never more than 5 min', Array(9).fill(short), 300],
    ['one that ran for long ends the row', [short, short, long], 10],
  ])('%s', (_name, attempts, seconds) => {
    const got = failed({}, { attempts });
    expect(got.status.nextAttemptAt).toBe(
      after(60 + seconds)
        .toISOString()
        .replace('.000', ''),
    );
  });

  test('the history keeps sixteen', () => {
    expect(failed({}, { attempts: Array(16).fill(short) }).status.attempts).toHaveLength(16);
  });

  test('kubeflow/trainer#2185: a broken accelerator leaves its node out for as long as asked, and costs no restart', () => {
    const got = failed({ message: 'NVRM: Xid (PCI:0000:3b:00): 79', node: 'gpu-7' });
    expect(got.status).toMatchObject({ restarts: 0, disruptions: 1 });
    expect(got.status.excludedNodes).toEqual([
      { name: 'gpu-7', reason: expect.stringContaining('Xid 79'), until: '2026-01-02T00:01:00Z' },
    ]);
    const kept = failed({ message: 'GPU is lost', node: 'gpu-7' }, {}, { failure: { ...FAILURE, excludeNodes: '0s' } });
    expect(kept.status).not.toHaveProperty('excludedNodes');
  });

  test('brings the accelerators that it held to account, once', () => {
    const facts = { startTime: AT, finishedAt: '2026-01-01T00:00:30Z' };
    expect(failed(facts, { acceleratorSeconds: 7 }, { accelerator }).status.acceleratorSeconds).toBe(7 + 4 * 30);
  });

  test.each([
    [
      'Container train for pod ml/nightly-a0-1-x7 failed with exit code 3 matching FailJob rule at index 1',
      {
        class: 'UserError',
        exitCode: 3,
        message: 'Pod nightly-a0-1-x7 failed (exit code 3), and is gone with its last words.',
      },
    ],
    [
      'Container train for pod ml/nightly-a0-1-x7 failed with exit code 143 matching FailJob rule at index 1',
      { class: 'AttemptLost', exitCode: 143, message: 'Pod nightly-a0-1-x7 was deleted (exit code 143, SIGTERM).' },
    ],
    [
      'Pod ml/nightly-a0-1-x7 has condition DisruptionTarget matching FailJob rule at index 0',
      { class: 'Disrupted', message: 'Pod nightly-a0-1-x7 was disrupted, and is gone.' },
    ],
  ])('whose pods are gone is told by its Job: %s', (said, told) => {
    const job = childJob('nightly-a0', 'Failed');
    const condition = { ...job.status?.conditions?.[0], message: said };
    const ended = { ...job, status: { conditions: [condition] } } as typeof job;
    const got = plan(world(running, { attempt: { job: ended, pods: [] } }, { failure: { ...FAILURE, restarts: 1 } }));
    expect(got.status.attempts?.[0]).toMatchObject({ pod: 'nightly-a0-1-x7', ...told });
  });
});

describe('between two attempts', () => {
  const waiting: TrainingJobStatus = { ...claimed, attempt: 1, restarts: 1, nextAttemptAt: '2026-01-01T00:01:10Z' };
  const leftovers = (deleted?: string): World['leftovers'] => ({
    jobs: [childJob('nightly-a0')],
    pods: [
      {
        ...ran(0, deleted === undefined ? {} : { deleted }),
        metadata: {
          ...ran(0, deleted === undefined ? {} : { deleted }).metadata,
          ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'nightly-a0', uid: 'nightly-a0-uid' }],
        },
      },
    ],
  });

  test('nothing starts before its time; what still runs of the last is ended meanwhile', () => {
    const got = plan(world(waiting, { leftovers: leftovers() }));
    expect(kinds(got)).toEqual(['DeleteJob']);
    expect(got.next).toMatchObject({ kind: 'again', afterMs: 10_000 });
  });

  test('kubeflow/trainer#2269: nothing starts while pods of the last attempt hold what it needs', () => {
    const late = { now: after(75), leftovers: { ...leftovers('2026-01-01T00:01:20Z'), jobs: [] } };
    const got = plan(world(waiting, late));
    expect(kinds(got)).not.toContain('StartAttempt');
    expect(ready(got)?.message).toContain('nightly-a0-0');
  });

  test('a pod that its node never ends is waited for half a minute past its time, then no more', () => {
    const stuck = { ...leftovers('2026-01-01T00:01:20Z'), jobs: [] };
    expect(kinds(plan(world(waiting, { now: after(109), leftovers: stuck })))).not.toContain('StartAttempt');
    expect(kinds(plan(world(waiting, { now: after(110), leftovers: stuck })))).toContain('StartAttempt');
  });

  test('nodes whose time is over are used again', () => {
    const excludedNodes = [
      { name: 'old', reason: 'Xid', until: AT },
      { name: 'gpu-7', reason: 'Xid', until: '2026-01-02T00:00:00Z' },
    ];
    const got = plan(world({ ...waiting, excludedNodes }, { now: after(70) }));
    expect(got.actions).toMatchObject([{ kind: 'StartAttempt', attempt: 1, excludedNodes: ['gpu-7'] }]);
    expect(got.status.excludedNodes).toMatchObject([{ name: 'gpu-7' }]);
  });
});

describe('a gang that is over while its Job is not', () => {
  const both = [ran(0), ran(1)];
  const whole: TrainingJobStatus = { ...running, gang: gangOf(both, 2) ?? '' };
  const over = (pods: ReturnType<typeof pod>[], rest: Partial<World> = {}, failure = {}) =>
    plan(
      world(
        whole,
        { attempt: attempt(undefined, ...pods), ...rest },
        { nodes: 2, failure: { ...FAILURE, ...failure } },
      ),
    );
  const classOf = (got: ReturnType<typeof plan>) => got.status.attempts?.at(-1)?.class;

  test('is seen whole once, by its pods', () => {
    const got = plan(world(running, { attempt: attempt(undefined, ...both) }, { nodes: 2 }));
    expect(got.status.gang).toBe(whole.gang);
    expect(got.status).not.toHaveProperty('attempts');
  });

  test('kubernetes-sigs/jobset#574: a pod that was deleted ends it for all', () => {
    const got = over([ran(0)]);
    expect(classOf(got)).toBe('AttemptLost');
    expect(got.status).toMatchObject({ attempt: 1, restarts: 0, disruptions: 1 });
    expect(got.status.attempts?.[0]?.message).toContain('index 1');
  });

  test('a pod that its Job replaced meanwhile ends it for all', () => {
    const replaced = { ...ran(1), metadata: { ...ran(1).metadata, uid: 'another' } };
    expect(classOf(over([ran(0), replaced]))).toBe('AttemptLost');
  });

  test('a pod that ended well may go', () => {
    const job = { ...childJob('nightly-a0'), status: { completedIndexes: '1' } };
    expect(over([ran(0)], { attempt: { job, pods: [ran(0)] } }).status).toMatchObject({ attempt: 0, phase: 'Running' });
  });

  test('a pod that failed is left to its Job, which says so in a moment', () => {
    expect(over([ran(0), died({ index: 1 })]).status).toMatchObject({ attempt: 0 });
  });

  test('a node that does not answer ends it, and is named', () => {
    const got = over([ran(0), ran(1, { node: 'n2', heard: false })], {
      lostNodes: new Map([['n2', 'does not answer']]),
    });
    expect(classOf(got)).toBe('NodeLost');
    expect(got.status.attempts?.[0]).toMatchObject({ node: 'n2', pod: 'nightly-a0-1' });
  });

  test('a pod that its node does not end in time ends it, also where the Job waits for that pod for ever', () => {
    const job = { ...childJob('nightly-a0'), status: { conditions: [{ type: 'FailureTarget', status: 'True' }] } };
    const pods = [died({ index: 0, message: 'KeyError' }), ran(1, { deleted: '2026-01-01T00:00:50Z', node: 'n2' })];
    const got = over(pods, { attempt: { job, pods } });
    expect(got.status.attempts?.[0]).toMatchObject({ class: 'UserError', pod: 'nightly-a0-0' });
  });

  const trained = (since: string | undefined, step = 40): Partial<TrainingJobStatus> => ({
    progress: { step, ...(since === undefined ? {} : { since }) },
  });
  const stall = (status: Partial<TrainingJobStatus>, seconds: number, pods = both) =>
    plan(
      world(
        { ...whole, ...status },
        { attempt: attempt(undefined, ...pods), now: after(seconds) },
        {
          nodes: 2,
          failure: { ...FAILURE, restarts: 1, stallTimeout: '10m' },
        },
      ),
    );

  test('no progress for stallTimeout ends it, with the step that it hangs at', () => {
    const got = stall(trained('2026-01-01T00:05:00Z'), 900);
    expect(got.status.attempts?.[0]).toMatchObject({ class: 'Stalled', message: expect.stringContaining('step 40') });
    expect(got.status).toMatchObject({ restarts: 1 });
  });

  test('a second before it is looked at again at that second', () => {
    expect(stall(trained('2026-01-01T00:05:00Z'), 899).next).toMatchObject({ kind: 'again', afterMs: 1000 });
  });

  test('progress of an attempt before does not count against this one', () => {
    expect(stall(trained('2025-12-31T00:00:00Z'), 599).status).toMatchObject({ attempt: 0 });
  });

  test('a trainer that never told anything stalls too, and is told what stallTimeout needs', () => {
    expect(stall({}, 600).status.attempts?.[0]?.message).toContain('needs a trainer that does');
  });

  test('while a pod does not run yet nothing stalls', () => {
    expect(stall(trained(undefined), 650, [ran(0), ran(1, { phase: 'Pending' })]).status.attempts?.[0]?.class).not.toBe(
      'Stalled',
    );
  });

  test('kubeflow/trainer#2034: pods that do not find each other in startTimeout free what they hold, and the missing are named', () => {
    const alone = [ran(0), pod({ index: 1, phase: 'Pending', unschedulable: '0/1 nodes' })];
    expect(over(alone, { now: after(629) }).status).toMatchObject({ attempt: 0 });
    const got = over(alone, { now: after(630) });
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'Rendezvous' });
    expect(stalled(got)?.message).toContain('nightly-a0-1 did not');
    expect(kinds(got)).toEqual(['DeleteJob']);
  });

  test('a pod that is being prepared is there, however long its data takes', () => {
    const preparing = pod({ index: 1, phase: 'Pending', container: 'prepare', waiting: { reason: 'PodInitializing' } });
    const init = {
      ...preparing,
      status: {
        ...preparing.status,
        initContainerStatuses: [
          {
            name: 'prepare',
            image: '',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { running: { startedAt: AT } },
          },
        ],
      },
    };
    expect(over([ran(0), init], { now: after(3600) }).status).toMatchObject({ attempt: 0 });
  });

  test('an image that never comes is given up after startTimeout: it holds accelerators', () => {
    const stuck = pod({
      index: 0,
      phase: 'Pending',
      startTime: AT,
      waiting: { reason: 'ImagePullBackOff', message: 'no such image' },
    });
    const got = plan(world(claimed, { attempt: attempt(undefined, stuck), now: after(600) }));
    expect(stalled(got)).toMatchObject({ status: 'True', reason: 'StartFailed' });
    expect(stalled(got)?.message).toContain('no such image');
  });
});
