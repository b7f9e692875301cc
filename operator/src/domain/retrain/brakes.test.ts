import { expect, test } from 'vitest';
import { began, DAY, DRIFT, run, world } from '../../../test/retrainBuilders.ts';
import { after } from '../../../test/trainingBuilders.ts';
import { planRetraining } from './plan.ts';
import { MOST_RUNS } from './world.ts';

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
