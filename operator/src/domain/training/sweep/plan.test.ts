import type { TrainingJobStatus } from '@slipway/crds';
import { ANNOTATIONS, LABELS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, trainingJob } from '../../../../test/trainingBuilders.ts';
import type { TrainingJob } from '../../../api/kinds.ts';
import type { Stored } from '../../../kube/wire.ts';
import { planSweep } from './plan.ts';
import { trialJob } from './trial.ts';
import { type Sweep, sweepFault, trialsOf } from './trials.ts';

const objective = { metric: 'accuracy', goal: 'Maximize' as const };
const sweep = (overrides: Partial<Sweep> = {}): Sweep => ({
  search: 'Grid',
  parameters: [
    { name: 'epochs', values: ['5', '10'] },
    { name: 'lr', values: ['0.1', '0.01'] },
  ],
  trials: 16,
  parallelism: 2,
  seed: 0,
  objective,
  failedTrials: 0,
  ...overrides,
});
const range = (min: string, max: string, more: object = {}) => ({
  name: 'lr',
  range: { min, max, scale: 'Linear' as const, integer: false, ...more },
});

const trial = (index: number, status: TrainingJobStatus): Stored<TrainingJob> => {
  const job = trainingJob({ publish: { store: 'pvc://models', when: 'Asked' } }, status);
  return { ...job, metadata: { ...job.metadata, name: `nightly-t${index}`, uid: `uid-${index}` } };
};
const trained = (index: number, accuracy: string): Stored<TrainingJob> =>
  trial(index, { phase: 'Trained', progress: { step: 1, metrics: { accuracy } } });
const running = (index: number): Stored<TrainingJob> => trial(index, { phase: 'Running' });

interface Facts {
  readonly spec?: Partial<Sweep>;
  readonly suspend?: boolean;
  readonly status?: TrainingJobStatus;
  readonly trials?: readonly Stored<TrainingJob>[];
  /** The version that the sweep names, and those that are there. */
  readonly version?: string;
  readonly made?: readonly string[];
}
const pass = ({ spec = {}, suspend, status, trials = [], version = 'NextMinor', made }: Facts) =>
  planSweep({
    tj: trainingJob(
      {
        model: { name: 'flights', version },
        sweep: sweep(spec),
        ...(suspend === undefined ? {} : { suspend }),
      },
      status,
    ),
    ...(made && { made: made.map((one) => ({ version: one, by: `ModelVersion flights-${one}`, isMade: true })) }),
    now: after(0),
    trials: new Map(trials.map((job) => [job.metadata.name, job])),
    nameOf: (index) => `nightly-t${index}`,
  });
const acts = (facts: Facts): string[] =>
  (pass(facts)?.actions ?? []).map((action) =>
    action.kind === 'StartTrial' ? `start ${action.name}` : `${action.kind} ${action.trial.metadata.name}`,
  );
const ready = (facts: Facts) => pass(facts)?.observed.find(({ type }) => type === 'Ready');

describe('the trials of a search', () => {
  test('a grid is every combination, the last parameter changing fastest', () => {
    expect(trialsOf(sweep()).map(({ epochs, lr }) => `${epochs}/${lr}`)).toEqual([
      '5/0.1',
      '5/0.01',
      '10/0.1',
      '10/0.01',
    ]);
  });

  test('the same seed draws the same trials, another draws others, and none twice', () => {
    const drawn = (seed: number) =>
      trialsOf(sweep({ search: 'Random', trials: 8, seed, parameters: [range('0.0001', '0.1', { scale: 'Log' })] }));
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(new Set(drawn(1).map(({ lr }) => lr)).size).toBe(8);
  });

  test('a search of fewer combinations than trials tries each once', () => {
    expect(trialsOf(sweep({ search: 'Random', trials: 16 }))).toHaveLength(4);
  });

  test('numbers lie in their range, whole ones too, and Log is uniform in the logarithm', () => {
    const bounds = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 900 }));
    fc.assert(
      fc.property(bounds, fc.nat(1000), fc.boolean(), ([min, max], seed, integer) => {
        const parameters = [range(String(min), String(max), { integer })];
        for (const { lr } of trialsOf(sweep({ search: 'Random', trials: 8, seed, parameters }))) {
          expect(Number(lr)).toBeGreaterThanOrEqual(min);
          expect(Number(lr)).toBeLessThanOrEqual(max);
          if (integer) expect(Number.isInteger(Number(lr))).toBe(true);
        }
      }),
    );
    const parameters = [range('0.0001', '1', { scale: 'Log' })];
    const below = trialsOf(sweep({ search: 'Random', trials: 256, parameters })).filter(({ lr }) => Number(lr) < 0.01);
    expect(below.length / 256).toBeGreaterThan(0.4);
    expect(below.length / 256).toBeLessThan(0.6);
  });

  test.each<[string, Partial<Sweep>, RegExp]>([
    ['a grid larger than trials', { trials: 3 }, /4 combinations, and sweep.trials is 3: raise it/],
    ['a range that ends before it begins', { search: 'Random', parameters: [range('1', '0.1')] }, /swap them/],
    ['a Log of nothing', { search: 'Random', parameters: [range('0', '1', { scale: 'Log' })] }, /min above 0/],
    ['no whole number', { search: 'Random', parameters: [range('0.1', '0.9', { integer: true })] }, /no whole number/],
  ])('%s is refused in one sentence', (_name, spec, sentence) => {
    expect(sweepFault(sweep(spec))).toMatch(sentence);
    expect(pass({ spec })).toMatchObject({ actions: [], status: { phase: 'Failed' } });
  });
});

describe('a version that can not be made', () => {
  test.each([
    ['taken', '1.4.0', ['1.4.0'], 'VersionTaken', /taken by ModelVersion flights-1.4.0: name another version/],
    ['lower than the newest', '1.3.0', ['1.4.0'], 'VersionNotNewest', /lower than 1.4.0, its newest/],
  ])('%s is refused before a single trial trains', (_name, version, made, reason, message) => {
    expect(acts({ version, made })).toEqual([]);
    expect(pass({ version, made })?.status.phase).toBe('Failed');
    expect(ready({ version, made })).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  test('one that is free, or the next, starts', () => {
    expect(acts({ version: '1.5.0', made: ['1.4.0'] })).toHaveLength(2);
    expect(acts({ made: ['1.4.0'] })).toHaveLength(2);
  });
});

describe('one pass over a sweep', () => {
  test('trials start as parallelism allows, in order', () => {
    expect(acts({})).toEqual(['start nightly-t0', 'start nightly-t1']);
    expect(acts({ trials: [running(0), running(1)] })).toEqual([]);
    expect(acts({ trials: [trained(0, '0.8'), running(1)] })).toEqual(['start nightly-t2']);
  });

  test('katib#1795: a trial whose trainer never told the objective failed, and the sweep says which metric', () => {
    const silent = trial(0, { phase: 'Trained', progress: { step: 1, metrics: { loss: '1' } } });
    expect(ready({ trials: [silent, running(1)] })).toMatchObject({
      reason: 'TrialsFailed',
      message: expect.stringContaining('told no accuracy (nightly-t0)'),
    });
    expect(acts({ trials: [silent, running(1)] })).toEqual(['Delete nightly-t1']);
  });

  test('as many trials may fail as the user allows', () => {
    const failed = trial(0, { phase: 'Failed' });
    expect(acts({ spec: { failedTrials: 1 }, trials: [failed, running(1)] })).toEqual(['start nightly-t2']);
  });

  test.each<['Maximize' | 'Minimize', string]>([
    ['Maximize', 'Publish nightly-t2'],
    ['Minimize', 'Publish nightly-t1'],
  ])('when all are over the best by %s is asked to publish', (goal, act) => {
    const trials = [trained(0, '0.8'), trained(1, '0.7'), trained(2, '0.9'), trained(3, '0.9')];
    expect(acts({ spec: { objective: { metric: 'accuracy', goal } }, trials })).toEqual([act]);
  });

  test('a trial that only a person can help on is told, and not as one that runs', () => {
    const stuck = trial(0, {
      phase: 'Pending',
      conditions: [
        {
          type: 'Stalled',
          status: 'True',
          reason: 'PodTemplateInvalid',
          message: 'The API server refuses spec.podTemplate.',
          observedGeneration: 1,
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    });
    expect(ready({ trials: [stuck] })?.message).toMatch(
      /nightly-t0 can't go on: The API server refuses spec.podTemplate.$/,
    );
  });

  test('while the store of the best is away the sweep says so', () => {
    const away = trial(0, {
      phase: 'Publishing',
      progress: { step: 1, metrics: { accuracy: '0.9' } },
      conditions: [
        {
          type: 'Ready',
          status: 'False',
          reason: 'StoreUnavailable',
          message: 'The server answers 503.',
          observedGeneration: 1,
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    });
    const spec = { parameters: [{ name: 'lr', values: ['0.1'] }] };
    expect(ready({ spec, trials: [away] })?.message).toMatch(/its model is being published. The server answers 503.$/);
  });

  test('what the best made is what the sweep made, and the others go', () => {
    const published = trial(1, {
      phase: 'Succeeded',
      modelVersion: 'flights-0.2.0',
      version: '0.2.0',
      progress: { step: 1, metrics: { accuracy: '0.9' } },
    });
    const facts = { trials: [trained(0, '0.8'), published, trained(2, '0.7'), trained(3, '0.6')] };
    expect(acts(facts)).toEqual(['Delete nightly-t0', 'Delete nightly-t2', 'Delete nightly-t3']);
    expect(pass(facts)?.status).toMatchObject({ phase: 'Succeeded', modelVersion: 'flights-0.2.0', version: '0.2.0' });
    expect(ready(facts)).toMatchObject({
      status: 'True',
      message: 'Published as ModelVersion flights-0.2.0: best accuracy 0.9 with epochs=5, lr=0.01 of 4 trials.',
    });
  });

  test('a best trial that can not be published counts as failed, and the next best is asked where that is allowed', () => {
    const trials = [trained(0, '0.8'), trial(1, { phase: 'Failed' }), trained(2, '0.7'), trained(3, '0.6')];
    expect(acts({ spec: { failedTrials: 1 }, trials })).toEqual(['Publish nightly-t0']);
    expect(ready({ trials })).toMatchObject({ reason: 'TrialsFailed' });
  });

  test('a trial that a person deleted is not made again', () => {
    const told = { name: 'nightly-t0', parameters: {}, phase: 'Running' as const };
    expect(ready({ status: { phase: 'Running', trials: [told] }, trials: [running(1)] })).toMatchObject({
      reason: 'TrialsFailed',
    });
  });

  test('suspend reaches the trials that run, and starts none', () => {
    expect(acts({ suspend: true, trials: [running(0)] })).toEqual(['Suspend nightly-t0']);
    expect(pass({ suspend: true, trials: [running(0)] })?.status.phase).toBe('Suspended');
  });

  test('a suspended sweep publishes nothing, and stops what publishes', () => {
    const over = [trained(0, '0.8'), trained(2, '0.7'), trained(3, '0.6')];
    const waiting = { suspend: true, trials: [trained(1, '0.9'), ...over] };
    expect(acts(waiting)).toEqual([]);
    expect(pass(waiting)?.status.phase).toBe('Suspended');
    const best = trial(1, { phase: 'Publishing', progress: { step: 1, metrics: { accuracy: '0.9' } } });
    expect(acts({ suspend: true, trials: [best, ...over] })).toEqual(['Suspend nightly-t1']);
    const held = {
      ...best,
      spec: { ...best.spec, suspend: true },
      status: { ...best.status, phase: 'Suspended' as const },
    };
    expect(acts({ trials: [held, ...over] })).toEqual(['Suspend nightly-t1']);
  });

  test('a sweep whose publish.when is Asked waits to be asked, by its own uid', () => {
    const trials = [trained(0, '0.8'), trained(1, '0.9'), trained(2, '0.7'), trained(3, '0.6')];
    const parent = trainingJob({ sweep: sweep(), publish: { store: 'pvc://models', when: 'Asked' } });
    const asked = (uid: string) =>
      planSweep({
        tj: { ...parent, metadata: { ...parent.metadata, annotations: { [ANNOTATIONS.publish]: uid } } },
        now: after(0),
        trials: new Map(trials.map((job) => [job.metadata.name, job])),
        nameOf: (index) => `nightly-t${index}`,
      });
    expect(asked('another')).toMatchObject({ actions: [], status: { phase: 'Trained' } });
    expect(asked('another')?.observed[0]?.message).toContain(`slipway.dev/publish=${parent.metadata.uid}`);
    expect(asked(parent.metadata.uid)?.actions).toMatchObject([{ kind: 'Publish' }]);
  });

  test('a sweep that is over stays as it is', () => {
    expect(pass({ status: { phase: 'Succeeded' } })).toBeUndefined();
    expect(pass({ status: { phase: 'Failed' } })).toBeUndefined();
  });
});

test('a trial is the job with its parameters, without the search, and publishes only when asked', () => {
  const parent = trainingJob({ sweep: sweep(), parameters: { epochs: '1', seed: '7' }, ttlAfterFinished: '1h' });
  const job = trialJob(parent, 'nightly-t0', { epochs: '5', lr: '0.1' });
  expect(job.spec).toMatchObject({ parameters: { epochs: '5', seed: '7', lr: '0.1' }, publish: { when: 'Asked' } });
  expect(job.spec).not.toHaveProperty('sweep');
  expect(job.spec).not.toHaveProperty('ttlAfterFinished');
  expect(job.metadata).toMatchObject({ labels: { [LABELS.sweep]: 'nightly' }, ownerReferences: [{ name: 'nightly' }] });
});

test('however trials end: never more at a time than allowed, and exactly one is asked to publish', () => {
  const ends = fc.array(fc.record({ fails: fc.boolean(), value: fc.integer({ min: 0, max: 5 }) }), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(ends, fc.integer({ min: 1, max: 4 }), (outcomes, parallelism) => {
      const made = new Map<number, Stored<TrainingJob>>();
      const spec = { parallelism, failedTrials: 4 };
      let status: TrainingJobStatus | undefined;
      const asked = new Set<string>();
      for (let i = 0; i < 30; i += 1) {
        const done = pass({ spec, trials: [...made.values()], ...(status === undefined ? {} : { status }) });
        if (done === undefined) break;
        status = done.status;
        for (const action of done.actions) {
          if (action.kind === 'StartTrial')
            made.set(
              Number(action.name.slice('nightly-t'.length)),
              running(Number(action.name.slice('nightly-t'.length))),
            );
          if (action.kind === 'Publish') asked.add(action.trial.metadata.name);
        }
        const live = [...made].filter(([, job]) => job.status?.phase === 'Running');
        expect(live.length).toBeLessThanOrEqual(parallelism);
        const [next] = live;
        const outcome = next && outcomes[next[0]];
        if (next === undefined || outcome === undefined) continue;
        made.set(
          next[0],
          outcome.fails ? trial(next[0], { phase: 'Failed' }) : trained(next[0], String(outcome.value)),
        );
      }
      expect(asked.size).toBe(outcomes.every(({ fails }) => fails) ? 0 : 1);
    }),
  );
});
