import { expect, test } from 'vitest';
import { seeded } from '../../../../test/random.ts';
import { driftSpec } from '../builders.ts';
import { minutesToAlarm } from './detection.ts';
import { falseAlarms, type Stationary } from './stationary.ts';

const traffic = (of: Partial<Stationary>): Stationary => ({
  spec: driftSpec(),
  days: 2,
  features: 10,
  callers: 40,
  rowsEach: 1,
  missing: 0.02,
  random: seeded(3),
  ...of,
});

test.each([1, 25])(
  'two days of traffic that does not change raise no alarm, callers sending %d equal rows at a time',
  (rowsEach) => {
    expect(falseAlarms(traffic({ rowsEach }))).toEqual({ begun: 0, held: 0 });
  },
);

/** Limits so low that significance alone decides: 288 looks a day are to give 100 false alarms at most. */
const sensitive = driftSpec({ psi: '0.000001', missing: '0%', falseAlarms: { max: 100, per: '1d' } });

test.each([1, 5, 25])(
  'the budget of false alarms holds where limits hold nothing back, callers sending %d equal rows at a time',
  (rowsEach) => {
    const { held } = falseAlarms(traffic({ spec: sensitive, rowsEach, days: 1 }));
    expect(held).toBeLessThanOrEqual(100);
    expect(held).toBeGreaterThan(0); // a judge that never alarms would keep every budget
  },
);

const median = (of: Partial<Parameters<typeof minutesToAlarm>[0]>): number => {
  const waits = Array.from({ length: 9 }, (_, i) =>
    minutesToAlarm({ psi: 0.4, rowsAnHour: 600, rowsEach: 1, features: 20, random: seeded(i + 1), ...of }),
  );
  return waits.map((wait) => wait ?? 999).sort((a, b) => a - b)[4] ?? 0;
};

test.each([
  ['a large drift', { psi: 1 }, 40],
  ['a middling drift', { psi: 0.4 }, 50],
  ['a drift just beyond the limit', { psi: 0.25 }, 65],
  ['240 rows an hour', { rowsAnHour: 240 }, 50],
  ['callers that send 25 equal rows at a time', { rowsAnHour: 24_000, rowsEach: 25 }, 50],
])('%s is told within the window: %o in %d minutes', (_, of, within) => {
  expect(median(of)).toBeLessThanOrEqual(within);
});
