import type { RetrainSpec } from '@slipway/crds';
import { ANNOTATIONS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, DIGEST, modelVersion, trainingJob } from '../../../test/trainingBuilders.ts';
import type { InferenceService, ModelVersion, TrainingJob } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';
import { planRetraining } from './plan.ts';
import type { RetrainStatus, RetrainWorld, Run } from './world.ts';

const NIGHTLY: RetrainSpec = { from: 'nightly', timeZone: 'UTC', cooldown: '24h', rejections: 3 };
const DAY = 86_400;

interface Facts {
  readonly spec?: Partial<RetrainSpec> | null;
  readonly seconds?: number;
  readonly asked?: string;
  readonly drift?: {
    readonly measure: string;
    readonly name?: string;
    readonly since?: string;
    readonly version?: string;
  };
  readonly action?: 'Alert' | 'Retrain';
  readonly retraining?: RetrainStatus;
  readonly stable?: string;
  readonly rejected?: string;
  readonly follows?: boolean;
  readonly pattern?: TrainingJob | null;
  readonly jobs?: readonly TrainingJob[];
  readonly versions?: readonly ModelVersion[];
  readonly current?: ModelVersion;
}

const condition = (
  type: string,
  status: 'True' | 'False',
  message = 'as it is said',
  since = '2026-01-01T00:00:00Z',
) => ({
  type,
  status,
  reason: 'R',
  message,
  observedGeneration: 1,
  lastTransitionTime: since,
});

const service = ({
  spec = {},
  asked,
  drift,
  action = 'Retrain',
  retraining,
  stable,
  rejected,
  follows = true,
}: Facts) =>
  ({
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: {
      name: 'flights',
      namespace: 'ml',
      uid: 'infs-uid',
      resourceVersion: '1',
      generation: 1,
      annotations: asked === undefined ? {} : { [ANNOTATIONS.retrain]: asked },
    },
    spec: {
      model: follows ? { name: 'flights', follow: 'Production' } : { name: 'flights', version: '0.1.0' },
      drift: { action },
      ...(spec === null ? {} : { retrain: { ...NIGHTLY, ...spec } }),
    },
    status: {
      conditions: drift === undefined ? [] : [condition('DriftDetected', 'True', '', drift.since)],
      ...(retraining === undefined ? {} : { retraining }),
      ...(stable === undefined ? {} : { stable: { version: stable, digest: DIGEST, revision: 'r' } }),
      ...(rejected === undefined ? {} : { rejected: [{ version: rejected, digest: DIGEST }] }),
      ...(drift === undefined
        ? {}
        : {
            drift: {
              version: drift.version ?? '0.1.0',
              worst: [
                { name: drift.name ?? 'distance', measure: drift.measure, value: '0.4', limit: '0.2', drifted: true },
              ],
            },
          }),
    },
  }) as unknown as Stored<InferenceService>;

const world = (facts: Facts): RetrainWorld => ({
  infs: service(facts),
  now: after(facts.seconds ?? 0),
  pattern: facts.pattern === null ? undefined : ((facts.pattern ?? trainingJob()) as Stored<TrainingJob>),
  trainingJobs: new Map((facts.jobs ?? []).map((job) => [job.metadata.name, job as Stored<TrainingJob>])),
  modelVersions: new Map((facts.versions ?? []).map((version) => [version.metadata.name, version])),
  current: facts.current ?? facts.versions?.find(({ status }) => status?.stage === 'Production'),
  nameOf: (number) => `flights-r${number}`,
});

const job = (name: string, status: TrainingJob['status']): TrainingJob => {
  const made = trainingJob({}, status);
  return { ...made, metadata: { ...made.metadata, name } };
};
const version = (...conditions: ReturnType<typeof condition>[]): ModelVersion => ({
  ...modelVersion(),
  metadata: { name: 'flights-0.2.0', namespace: 'ml' },
  spec: { ...modelVersion().spec, version: '0.2.0' },
  status: { conditions },
});
/** As the registry leaves a version that is asked to be in `stage`, and got there. */
const inStage = (stage: 'Staging' | 'Production', made: ModelVersion): ModelVersion => ({
  ...made,
  spec: { ...made.spec, stage },
  status: { ...made.status, stage },
});
const madeAt = (at: Date, made: ModelVersion): ModelVersion => ({
  ...made,
  metadata: { ...made.metadata, creationTimestamp: at.toISOString() },
  spec: { ...made.spec, provenance: { trainingJob: 'flights-r1' } },
});
const named = (name: string, made: ModelVersion): ModelVersion => ({ ...made, metadata: { ...made.metadata, name } });
const run = (facts: Partial<Run> = {}): Run => ({
  trainingJob: 'flights-r1',
  startedAt: '2026-01-01T00:00:00Z',
  trigger: 'Drift',
  outcome: 'Running',
  acceleratorSeconds: 0,
  ...facts,
});
const began = (facts: Partial<RetrainStatus> = {}): RetrainStatus => ({
  number: 1,
  rejections: 0,
  startedAt: '2026-01-01T00:00:00Z',
  runs: [run({ outcome: 'Promoted' })],
  ...facts,
});

const DRIFT = { measure: 'psi' };

describe('what starts a retraining', () => {
  test.each<[string, Facts, string | undefined]>([
    ['nothing asks: none', {}, undefined],
    ['kubedl#98: drift of an input does', { drift: DRIFT }, 'Drift'],
    ['lost accuracy does, and says so', { drift: { measure: 'accuracy' } }, 'Accuracy'],
    ['drift whose action is Alert does not', { drift: DRIFT, action: 'Alert' }, undefined],
    ['missing values do not: their cause lies before the model', { drift: { measure: 'missing' } }, undefined],
    ['a new value of the annotation does', { asked: 'monday' }, 'Asked'],
    ['a value that was acted on does not', { asked: 'monday', retraining: began({ lastAsked: 'monday' }) }, undefined],
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
    expect(create?.spec.datasets).toEqual([{ name: 'train', uri: 's3://data/a' }]);
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

describe('what became of a run', () => {
  const done = {
    jobs: [job('flights-r1', { phase: 'Succeeded', modelVersion: 'flights-0.2.0', acceleratorSeconds: 120 })],
  };
  const retraining = began({ runs: [run()], running: 'flights-r1' });
  const ready = version(condition('Ready', 'True'));
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
    ['the schedule', { spec: { schedule: '0 3 * * 1' }, retraining: began({ lastScheduled: '2026-01-01T00:00:00Z' }) }],
  ])('what %s asked for is not made again when the pass that made it died', (_name, facts) => {
    const before = { retraining: began(), seconds: 9 * DAY, ...facts };
    const made = planRetraining(world(before)).create;
    if (made === undefined) throw new Error('nothing was made');
    const found = planRetraining(world({ ...before, jobs: [{ ...made, status: { phase: 'Running' } }] }));
    expect(found.status?.runs?.at(-1)).toMatchObject({ trainingJob: 'flights-r2', outcome: 'Running' });
    const ended = [{ ...made, status: { phase: 'Failed' as const } }];
    const later = { ...before, seconds: 11 * DAY, retraining: found.status, jobs: ended };
    expect(planRetraining(world(later as Facts)).create).toBeUndefined();
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
