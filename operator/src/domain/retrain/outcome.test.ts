import { LABELS } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import {
  began,
  condition,
  DAY,
  DRIFT,
  type Facts,
  inStage,
  job,
  madeAt,
  named,
  run,
  version,
  world,
} from '../../../test/retrainBuilders.ts';
import { after } from '../../../test/trainingBuilders.ts';
import { planRetraining } from './plan.ts';
import type { Run } from './world.ts';

describe('what became of a run', () => {
  const done = {
    jobs: [job('flights-r1', { phase: 'Succeeded', modelVersion: 'flights-0.2.0', acceleratorSeconds: 120 })],
  };
  const retraining = began({ runs: [run()], running: 'flights-r1' });
  const ready = version(condition('Ready', 'True'));
  const ASK = 'Trained, and publish.when is Asked: kubectl annotate trainingjob flights-r1 publishes it.';
  const ofSweep = (made: typeof ready) => ({
    ...made,
    metadata: { ...made.metadata, labels: { [LABELS.sweep]: 'flights-r1' } },
    spec: { ...made.spec, provenance: { trainingJob: 'flights-r1-t2' } },
  });
  const [NOW, LONG_AGO] = [after(0).toISOString(), after(-3600).toISOString()];
  test.each<[string, Facts, Partial<Run>, number]>([
    ['it runs', { jobs: [job('flights-r1', { phase: 'Running' })] }, { outcome: 'Running' }, 0],
    ['its job failed', { jobs: [job('flights-r1', { phase: 'Failed' })] }, { outcome: 'Failed' }, 1],
    [
      'its job went by its ttlAfterFinished, before its end was seen',
      { versions: [madeAt(after(60), ready)] },
      { outcome: 'Ready', modelVersion: 'flights-0.2.0' },
      0,
    ],
    [
      'a trial of its sweep made the version, and its ttlAfterFinished of seconds took all of it before it was looked at',
      { versions: [ofSweep(madeAt(after(60), ready))] },
      { outcome: 'Ready', modelVersion: 'flights-0.2.0' },
      0,
    ],
    [
      'it is trained, and its pattern publishes only when asked: nobody waits for a training that is over',
      { jobs: [job('flights-r1', { phase: 'Trained', conditions: [condition('Reconciling', 'True', ASK)] })] },
      { outcome: 'AwaitingApproval', message: ASK },
      0,
    ],
    [
      'its job was deleted, and one of its name made a version before',
      { versions: [madeAt(after(-60), ready)] },
      { outcome: 'Failed' },
      1,
    ],
    ['its job was deleted', {}, { outcome: 'Failed' }, 1],
    [
      'its gates are computed',
      { ...done, versions: [version()] },
      { outcome: 'Verifying', acceleratorSeconds: 120 },
      0,
    ],
    [
      'its gates failed',
      { ...done, versions: [version(condition('Stalled', 'True', 'accuracy Fail'))] },
      { outcome: 'Rejected', message: 'accuracy Fail' },
      1,
    ],
    ['it is rolled out', { ...done, versions: [inStage('Production', ready)] }, { outcome: 'RollingOut' }, 0],
    [
      'it reached Staging: a service that follows Production never sees it',
      { ...done, versions: [inStage('Staging', ready)] },
      { outcome: 'Ready', message: expect.stringContaining('promote mv/flights-0.2.0 --stage=Production') },
      0,
    ],
    [
      'its pattern names no stage',
      { ...done, versions: [ready] },
      { outcome: 'Ready', message: expect.stringContaining('flights-0.2.0 goes to Candidate') },
      0,
    ],
    [
      'it is about to enter Production',
      { ...done, versions: [{ ...ready, spec: { ...ready.spec, stage: 'Production' } }] },
      { outcome: 'Verifying' },
      0,
    ],
    [
      'a newer version came to Production before it served',
      {
        ...done,
        versions: [inStage('Production', ready)],
        current: named('flights-0.3.0', inStage('Production', ready)),
      },
      { outcome: 'Ready', message: expect.stringContaining('flights-0.3.0 came to Production after') },
      0,
    ],
    [
      'its version is not known here yet',
      { jobs: [job('flights-r1', { phase: 'Succeeded', modelVersion: 'flights-0.2.0', finishedAt: NOW })] },
      { outcome: 'Running' },
      0,
    ],
    [
      'its version was deleted while nobody looked',
      {
        ...done,
        jobs: [job('flights-r1', { phase: 'Succeeded', modelVersion: 'flights-0.2.0', finishedAt: LONG_AGO })],
      },
      { outcome: 'Rejected', message: 'ModelVersion flights-0.2.0 was deleted before it served.' },
      1,
    ],
    ['it serves', { ...done, versions: [ready], stable: '0.2.0' }, { outcome: 'Promoted' }, 0],
    ['it was rolled back', { ...done, versions: [ready], rejected: '0.2.0' }, { outcome: 'Rejected' }, 1],
    [
      'nothing follows it: it is there to be named',
      { ...done, versions: [ready], follows: false },
      { outcome: 'Ready' },
      0,
    ],
  ])('%s', (_name, facts, wanted, rejections) => {
    const { status, create } = planRetraining(world({ ...facts, retraining }));
    expect(create).toBeUndefined();
    expect(status?.runs?.[0]).toMatchObject(wanted);
    expect(status?.rejections).toBe(rejections);
  });

  test('a version that was looked at and deleted was rejected: it holds nothing back for ever', () => {
    const looked = began({ runs: [run({ outcome: 'Verifying', modelVersion: 'flights-0.2.0' })] });
    const { status } = planRetraining(world({ ...done, retraining: looked }));
    expect(status?.runs?.[0]).toMatchObject({ outcome: 'Rejected' });
  });

  test('a pass that died before it wrote finds its job by name and makes no second', () => {
    const orphan = job('flights-r2', { phase: 'Running' });
    const { create, status } = planRetraining(
      world({ drift: DRIFT, seconds: 9 * DAY, retraining: began(), jobs: [orphan] }),
    );
    expect(create).toBeUndefined();
    expect(status).toMatchObject({ number: 2, running: 'flights-r2' });
  });

  test.each<[string, Facts]>([
    ['a person', { asked: 'monday' }],
    ['drift', { drift: DRIFT }],
    ['an event', { event: '7' }],
    ['the schedule', { spec: { schedule: '0 3 * * 1' }, retraining: began({ lastScheduled: '2026-01-01T00:00:00Z' }) }],
  ])('what %s asked for is not made again when the pass that made it died', (_name, facts) => {
    const before = { retraining: began(), seconds: 9 * DAY, ...facts };
    const made = planRetraining(world(before)).create;
    if (made === undefined) throw new Error('nothing was made');
    const found = planRetraining(world({ ...before, jobs: [{ ...made, status: { phase: 'Running' } }] }));
    expect(found.status?.runs?.at(-1)).toMatchObject({ trainingJob: 'flights-r2', outcome: 'Running' });
    const ended = [{ ...made, status: { phase: 'Succeeded' as const, modelVersion: 'flights-0.2.0' } }];
    const versions = [version(condition('Ready', 'True'))];
    const later = { ...before, seconds: 11 * DAY, retraining: found.status, jobs: ended, versions };
    expect(planRetraining(world(later as Facts)).create).toBeUndefined();
  });
});
