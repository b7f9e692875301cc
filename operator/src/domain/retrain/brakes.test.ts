import { expect, test } from 'vitest';
import { began, condition, DAY, DRIFT, job, run, world } from '../../../test/retrainBuilders.ts';
import { after } from '../../../test/trainingBuilders.ts';
import { planRetraining } from './plan.ts';
import { MOST_RUNS, type RetrainStatus } from './world.ts';

const HOUR = 3600;

/** As many runs as the status keeps, one an hour from the first second on, each of an accelerator hour. */
const hourly = Array.from({ length: MOST_RUNS }, (_, i) =>
  run({
    trainingJob: `flights-r${i + 1}`,
    startedAt: after(i * HOUR).toISOString(),
    outcome: 'Promoted',
    acceleratorSeconds: HOUR,
  }),
);
const asks = (seconds: number, budget: object) =>
  planRetraining(
    world({
      drift: DRIFT,
      seconds,
      spec: { cooldown: '1h', budget: { per: '30d', ...budget } },
      retraining: began({ number: MOST_RUNS, startedAt: after((MOST_RUNS - 1) * HOUR).toISOString(), runs: hourly }),
    }),
  );

test('hours of runs that the status forgets are not free: none starts before the first is out of the time', () => {
  const held = asks(2 * DAY, { acceleratorHours: 100 });
  expect(held.create).toBeUndefined();
  expect(held.condition).toMatchObject({
    reason: 'BudgetUsed',
    message: expect.stringContaining(
      '32 retrainings, the most whose accelerator hours are remembered, of the last 30d',
    ),
  });
  expect(held.status?.next).toBe('2026-01-31T00:00:00Z');
  expect(asks(30 * DAY + 1, { acceleratorHours: 100 }).create?.metadata.name).toBe('flights-r33');
});

test('a budget of runs alone forgets none that counts, as it allows fewer', () => {
  expect(asks(30 * DAY + 8 * HOUR, { runs: 30 }).create).toBeDefined();
});

/** The drift goes on that the last run was for, which became `outcome` on the first day. */
const goesOn = (rejections: number, outcome: 'Failed' | 'Ready', seconds: number) =>
  planRetraining(
    world({
      drift: DRIFT,
      seconds,
      retraining: began({
        number: 3,
        rejections,
        lastDrift: '2026-01-01T00:00:00Z',
        lastDriftVersion: '0.1.0',
        runs: [run({ trainingJob: 'flights-r3', outcome })],
      }),
    }),
  );

test('drift whose retraining failed asks again after the cooldown, and is not forgotten', () => {
  expect(goesOn(1, 'Failed', HOUR).condition).toMatchObject({
    reason: 'Cooldown',
    message: expect.stringMatching(/^Drift of distance/),
  });
  expect(goesOn(1, 'Failed', DAY).create?.metadata.name).toBe('flights-r4');
});

test('drift that goes on after three that failed waits for a person, and says so', () => {
  expect(goesOn(3, 'Failed', 9 * DAY)).toMatchObject({ condition: { reason: 'LoopGuard' } });
  expect(goesOn(3, 'Failed', 9 * DAY).create).toBeUndefined();
});

test('drift whose retraining led to a version is answered', () => {
  expect(goesOn(0, 'Ready', 9 * DAY).condition).toMatchObject({ reason: 'Idle' });
});

test('a job that only a person can help on is told, and not as one that trains', () => {
  const conditions = [condition('Stalled', 'True', 'The API server refuses spec.podTemplate.')];
  const { condition: said } = planRetraining(
    world({ retraining: began({ runs: [run()] }), jobs: [job('flights-r1', { phase: 'Pending', conditions })] }),
  );
  expect(said?.message).toMatch(/It can't go on: The API server refuses spec.podTemplate.$/);
});

test('a schedule that was taken out and is written again weeks later makes up for nothing', () => {
  const taken = planRetraining(
    world({ spec: {}, retraining: began({ lastScheduled: '2026-01-01T03:00:00Z' }), seconds: DAY }),
  );
  expect(taken.status?.lastScheduled).toBeUndefined();
  const again = planRetraining(
    world({ spec: { schedule: '0 3 * * *' }, retraining: taken.status as RetrainStatus, seconds: 30 * DAY }),
  );
  expect(again.create).toBeUndefined();
  expect(again.status?.lastScheduled).toBe('2026-01-31T00:00:00Z');
});
