import { expect, test } from 'vitest';
import { type FlightRow, flightBaseline, flightCounts, flightRows } from '../../../test/flightRows.ts';
import { psiOf } from '../analysis/distances.ts';
import { judgeShift } from '../analysis/shift.ts';

const rows = flightRows();
const baseline = flightBaseline(rows.filter((_, i) => i % 2 === 0));
const asked = rows.filter((_, i) => i % 2 === 1);
const answers = (of: readonly FlightRow[]): readonly number[] =>
  flightCounts(baseline, of).predictions[0]?.counts ?? [];
const question = { threshold: 0.2, look: 6, risk: { fail: 0.001, pass: 0.05 } };

test('a drift of the inputs moves the answers of both versions, and the candidate is not blamed for it', () => {
  const evening = asked.filter(({ hour }) => hour >= 17);
  const candidate = answers(evening.filter((_, i) => i % 2 === 0));
  const stable = answers(evening.filter((_, i) => i % 2 === 1));
  const { bins } = baseline.predictions[0] as { bins: { counts: number[] } };
  expect(psiOf(candidate, bins.counts, 1e-6).low).toBeGreaterThan(0.2);
  expect(psiOf(stable, bins.counts, 1e-6).low).toBeGreaterThan(0.2);
  expect(judgeShift(candidate, stable, question).verdict).toBe('Pass');
});

test('a candidate whose own answers move under the same drift is still seen', () => {
  const evening = asked.filter(({ hour }) => hour >= 17);
  const candidate = answers(evening.map((row) => ({ ...row, late: 1 - row.late })));
  expect(judgeShift(candidate, answers(evening), question).verdict).toBe('Fail');
});
