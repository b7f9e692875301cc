import { expect, test } from 'vitest';
import { seeded } from '../../../../test/random.ts';
import { driftSpec } from '../builders.ts';
import { minutesToAlarm } from './detection.ts';
import { calibrationFalseAlarms, type Labelled, labelsToAlarm } from './labelled.ts';
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

const labels = (of: Partial<Labelled>): Labelled => ({
  labelsAnHour: 1200,
  labelsEach: 1,
  alike: 'nothing',
  classes: 'two',
  random: seeded(4),
  ...of,
});
/** A limit of nothing: 288 looks a day are to give 14.4 alarms at most. */
const NOTHING = { max: '0%', per: '100m' };

test.each([
  ['independent', {}],
  ['of many classes', { classes: 'many' }],
  ['25 of a caller, all the same', { alike: 'all', labelsEach: 25 }],
  ['25 of a caller, sharing their luck', { alike: 'luck', labelsEach: 25 }],
] as const)(
  'labels of a calibrated model keep the budget of false alarms where no limit holds them back: %s',
  (_, of) => {
    expect(calibrationFalseAlarms(labels(of), NOTHING, 2).held).toBeLessThanOrEqual(2 * 14.4);
  },
);

test('a judge of calibration that never alarms would keep every budget: chance alone alarms where there is no limit', () => {
  const seeds = Array.from({ length: 6 }, (_, seed) =>
    calibrationFalseAlarms(labels({ alike: 'luck', labelsEach: 25, random: seeded(seed) }), NOTHING, 2),
  );
  expect(seeds.some(({ held }) => held > 0)).toBe(true);
});

test.each([
  [0.15, 1200, 1400],
  [0.25, 600, 500],
])('an error of %d at %d labels an hour is told within %d labels, in the median', (excess, labelsAnHour, within) => {
  const limit = { max: '5%', per: '30d' };
  const waits = Array.from({ length: 7 }, (_, i) =>
    labelsToAlarm(labels({ labelsAnHour, random: seeded(i + 1) }), limit, excess),
  );
  const sorted = waits.map((wait) => wait ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  expect(sorted[3]).toBeLessThanOrEqual(within);
});

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
