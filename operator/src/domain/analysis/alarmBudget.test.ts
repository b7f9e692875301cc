import { describe, expect, test } from 'vitest';
import { alphaPerTest } from './alarmBudget.ts';
import { mulberry32 } from './simulation.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;

describe('a budget of false alarms', () => {
  test.each([
    [
      'one in 30 days over 20 features each 20 s',
      { max: 1, perMs: 30 * DAY },
      { everyMs: 20 * SECOND, tests: 20 },
      1 / (129_600 * 20),
    ],
    [
      'twice the alarms, twice the risk',
      { max: 2, perMs: 30 * DAY },
      { everyMs: 20 * SECOND, tests: 20 },
      2 / (129_600 * 20),
    ],
    ['one look in the whole time', { max: 1, perMs: DAY }, { everyMs: 2 * DAY, tests: 50 }, 1 / 50],
    ['a budget beyond all need', { max: 1000, perMs: DAY }, { everyMs: DAY, tests: 1 }, 0.05],
    ['no test at all', { max: 1, perMs: 100 * DAY }, { everyMs: DAY, tests: 0 }, 0.01],
  ])('%s', (_sentence, budget, looks, alpha) => expect(alphaPerTest(budget, looks)).toBeCloseTo(alpha, 12));

  test('is kept by windows that overlap: expected alarms are no more than it allows', () => {
    // Sum of the last 50 of independent signs against its normal bound, looked at after each: 49 of 50 are shared.
    const budget = { max: 2, perMs: 1000 };
    const [runs, looks, width] = [400, 1000, 50];
    const alpha = alphaPerTest(budget, { everyMs: 1, tests: 1 });
    // Hoeffding: chance alpha at most.
    const bound = Math.sqrt(2 * width * Math.log(1 / alpha));
    let alarms = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const uniform = mulberry32(seed);
      const signs = Array.from({ length: looks + width }, () => (uniform() < 0.5 ? 1 : -1));
      let sum = signs.slice(0, width).reduce((a, b) => a + b, 0);
      for (let look = 0; look < looks; look += 1) {
        if (sum >= bound) alarms += 1;
        sum += (signs[look + width] ?? 0) - (signs[look] ?? 0);
      }
    }
    expect(alarms / runs).toBeLessThanOrEqual(budget.max);
    expect(alarms).toBeGreaterThan(0);
  });
});
