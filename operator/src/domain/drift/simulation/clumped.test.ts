import { expect, test } from 'vitest';
import { seeded } from '../../../../test/random.ts';
import { CLUMPED_FAULTS, type Clumped, clumpedFalseAlarms, minutesToFault } from './clumped.ts';

const traffic = (of: Partial<Clumped>): Clumped => ({
  fault: 'missing',
  limit: '5%',
  callers: 1,
  rowsEach: 300,
  habit: 0.02,
  random: seeded(11),
  ...of,
});
const ONE = { max: 1, per: '30d' };

test.each(CLUMPED_FAULTS)(
  'few callers of 300 rows, one in fifty with a habit below the limit: no alarm of %s',
  (fault) => {
    expect(clumpedFalseAlarms(traffic({ fault }), ONE, 10)).toBe(0);
  },
);

test('the budget holds for a tight limit too, which one caller in fifty exceeds each time it comes', () => {
  expect(clumpedFalseAlarms(traffic({ limit: '1%' }), ONE, 10)).toBe(0);
});

test.each(['outOfRange', 'unseen', 'outliers'] as const)(
  'a habit that is above the limit is told: a watch that never alarms would keep any budget: %s',
  (fault) => {
    expect(clumpedFalseAlarms(traffic({ fault, habit: 0.5, callers: 10 }), ONE, 1)).toBeGreaterThan(0);
  },
);

test.each([
  ['a feature that vanishes, of callers with a row each', { callers: 100, rowsEach: 1, habit: 0 }, 1, 15],
  ['the same where one in fifty lacked it anyway', { callers: 100, rowsEach: 1 }, 1, 20],
  ['three callers of 300 rows', { callers: 3, habit: 0 }, 1, 20],
  ['a third of the rows', { callers: 100, rowsEach: 1, habit: 0 }, 0.3, 40],
  ['a third of the rows of three callers of 300', { callers: 3, habit: 0 }, 0.3, 40],
])('%s is told soon: %o, a share of %d, in %d minutes', (_, of, broken, within) => {
  const waits = Array.from({ length: 5 }, (_, i) =>
    minutesToFault(traffic({ limit: '10%', random: seeded(i + 1), ...of }), broken),
  );
  expect(waits.map((wait) => wait ?? 9999).sort((a, b) => a - b)[2]).toBeLessThanOrEqual(within);
});
