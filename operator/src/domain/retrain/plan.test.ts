import { ANNOTATIONS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { began, condition, DAY, DRIFT, type Facts, job, run, version, world } from '../../../test/retrainBuilders.ts';
import { after, DIGEST, trainingJob } from '../../../test/trainingBuilders.ts';
import { planRetraining } from './plan.ts';
import type { RetrainStatus } from './world.ts';

describe('what starts a retraining', () => {
  test.each<[string, Facts, string | undefined]>([
    ['nothing asks: none', {}, undefined],
    ['kubedl#98: drift of an input does', { drift: DRIFT }, 'Drift'],
    ['lost accuracy does, and says so', { drift: { measure: 'accuracy' } }, 'Accuracy'],
    ['probabilities that are off do, and say so', { drift: { measure: 'calibration' } }, 'Calibration'],
    ['drift whose action is Alert does not', { drift: DRIFT, action: 'Alert' }, undefined],
    ['missing values do not: their cause lies before the model', { drift: { measure: 'missing' } }, undefined],
    ['a new value of the annotation does', { asked: 'monday' }, 'Asked'],
    ['a value that was acted on does not', { asked: 'monday', retraining: began({ lastAsked: 'monday' }) }, undefined],
    ['a CloudEvent does', { event: '7' }, 'CloudEvent'],
    [
      'the schedule does when its time has come',
      {
        spec: { schedule: '0 3 * * *' },
        seconds: 2 * DAY,
        retraining: began({ lastScheduled: '2026-01-01T00:00:00Z' }),
      },
      'Schedule',
    ],
    [
      'times before the schedule was known are not made up for',
      { spec: { schedule: '0 3 * * *' }, seconds: 5 * DAY },
      undefined,
    ],
    [
      'the same drift a second time does not',
      {
        drift: DRIFT,
        seconds: 2 * DAY,
        retraining: began({ lastDrift: '2026-01-01T00:00:00Z', lastDriftVersion: '0.1.0' }),
      },
      undefined,
    ],
    [
      'drift of the retrained version does',
      {
        drift: { ...DRIFT, version: '0.2.0' },
        seconds: 2 * DAY,
        retraining: began({ lastDrift: '2026-01-01T00:00:00Z', lastDriftVersion: '0.1.0' }),
      },
      'Drift',
    ],
  ])('%s', (_name, facts, trigger) => {
    const { create, status } = planRetraining(world(facts));
    expect(create === undefined ? undefined : status?.trigger).toBe(trigger);
  });

  test('the job is a copy of the pattern that makes the next version, of the data as they are now, and says why', () => {
    const pattern = trainingJob({
      suspend: true,
      datasets: [{ name: 'train', uri: 's3://data/a', digest: DIGEST }],
      parameters: { epochs: '5' },
    });
    const { create } = planRetraining(world({ drift: DRIFT, stable: '0.1.0', pattern }));
    expect(create?.metadata).toMatchObject({
      name: 'flights-r1',
      annotations: {
        [ANNOTATIONS.trigger]: 'Drift of distance: psi 0.4 over 0.2',
        [ANNOTATIONS.parent]: 'flights-0.1.0',
      },
      ownerReferences: [{ kind: 'InferenceService', uid: 'infs-uid' }],
    });
    expect(create?.spec.datasets).toEqual([{ name: 'train', uri: 's3://data/a', unpinned: true }]);
    expect(create?.spec).toMatchObject({ model: { version: 'NextMinor' }, parameters: { epochs: '5' } });
    expect(create?.spec.suspend).toBeUndefined();
  });
});

describe('what holds a retraining back', () => {
  test.each<[string, Facts, string, RegExp]>([
    [
      'one at a time',
      { asked: 'x', retraining: began({ runs: [run()] }), jobs: [job('flights-r1', { phase: 'Running' })] },
      'Running',
      /flights-r1 trains/,
    ],
    ['cooldown', { drift: DRIFT, seconds: 3600, retraining: began() }, 'Cooldown', /less than 24h ago/],
    [
      'cooldown, as a machine asks',
      { event: '7', seconds: 3600, retraining: began() },
      'Cooldown',
      /id 7.*less than 24h/,
    ],
    [
      'three that led to nothing, which no event ends',
      { event: '7', seconds: 9 * DAY, retraining: began({ rejections: 3 }) },
      'LoopGuard',
      /slipway.dev\/retrain/,
    ],
    [
      'three that led to nothing',
      { drift: DRIFT, seconds: 9 * DAY, retraining: began({ rejections: 3 }) },
      'LoopGuard',
      /slipway.dev\/retrain/,
    ],
    [
      'the budget of runs',
      { asked: 'x', seconds: DAY, spec: { budget: { runs: 1, per: '30d' } }, retraining: began() },
      'BudgetUsed',
      /1 of 1 retrainings of the last 30d/,
    ],
    [
      'the budget of accelerator hours',
      {
        drift: DRIFT,
        seconds: 2 * DAY,
        spec: { budget: { acceleratorHours: 10, per: '30d' } },
        retraining: began({ runs: [run({ outcome: 'Promoted', acceleratorSeconds: 36_000 })] }),
      },
      'BudgetUsed',
      /10.0 of 10 accelerator hours/,
    ],
    ['no such TrainingJob', { drift: DRIFT, pattern: null }, 'PatternMissing', /no TrainingJob nightly/],
    [
      'a job of another model',
      { drift: DRIFT, pattern: trainingJob({ model: { name: 'delays', version: 'NextMinor' } }) },
      'PatternMismatch',
      /trains delays/,
    ],
    ['action Retrain without spec.retrain', { drift: DRIFT, spec: null }, 'PatternMissing', /spec.retrain.from/],
    ['a day that never comes', { spec: { schedule: '0 3 31 2 *' } }, 'ScheduleInvalid', /never comes/],
    [
      'a zone that is none',
      { spec: { schedule: '0 3 * * 1', timeZone: 'Mars/Base' } },
      'ScheduleInvalid',
      /can't be read/,
    ],
  ])('%s', (_name, facts, reason, message) => {
    const { create, condition: said } = planRetraining(world(facts));
    expect(create).toBeUndefined();
    expect(said).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  test('a person who asks is not held by cooldown or loop guard, and ends the count', () => {
    const { create, status } = planRetraining(
      world({ asked: 'now', seconds: 60, retraining: began({ rejections: 3 }) }),
    );
    expect(create?.metadata.name).toBe('flights-r2');
    expect(status?.rejections).toBe(0);
  });

  test('a version that waits for an approval comes before another drift', () => {
    const retraining = began({ runs: [run({ modelVersion: 'flights-0.2.0' })] });
    const waiting = version(condition('GatesPassed', 'True'), condition('Approved', 'False', 'needs one approval'));
    const facts: Facts = { drift: { ...DRIFT, version: '0.2.0' }, seconds: 9 * DAY, retraining, versions: [waiting] };
    const made = { ...facts, jobs: [job('flights-r1', { phase: 'Succeeded', modelVersion: 'flights-0.2.0' })] };
    expect(planRetraining(world(made)).condition).toMatchObject({ reason: 'AwaitingApproval' });
  });
});

test('whatever asks and whatever becomes of runs: never two at once, never over the budget, and each pass is total', () => {
  const step = fc.record({
    hours: fc.integer({ min: 0, max: 60 }),
    asked: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    drifts: fc.boolean(),
    ends: fc.constantFrom<'Running' | 'Failed' | 'Promoted' | 'Rejected'>('Running', 'Failed', 'Promoted', 'Rejected'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let retraining: RetrainStatus | undefined;
      let seconds = 0;
      const starts: number[] = [];
      for (const { hours, asked, drifts, ends } of steps) {
        seconds += hours * 3600;
        const runs = (retraining?.runs ?? []).map((r) => (r.outcome === 'Running' ? { ...r, outcome: ends } : r));
        const before = retraining && { ...retraining, runs };
        const jobs = runs.filter((r) => r.outcome === 'Running').map((r) => job(r.trainingJob, { phase: 'Running' }));
        const since = after(seconds).toISOString().slice(0, 19);
        const { create, status } = planRetraining(
          world({
            seconds,
            jobs,
            spec: { budget: { runs: 4, per: '30d' } },
            ...(before === undefined ? {} : { retraining: before }),
            ...(asked === undefined ? {} : { asked }),
            ...(drifts ? { drift: { ...DRIFT, since: `${since}Z` } } : {}),
          }),
        );
        if (create !== undefined) {
          expect(runs.some((r) => r.outcome === 'Running')).toBe(false);
          starts.push(seconds);
        }
        retraining = status;
      }
      for (const at of starts) expect(starts.filter((s) => s <= at && s > at - 30 * DAY).length).toBeLessThanOrEqual(4);
    }),
  );
});
