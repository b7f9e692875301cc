import { expect, test } from 'vitest';
import { evidenceDocument } from '../../../test/evidenceDocument.ts';
import { type FlightRow, flightBaseline, flightCounts, flightRows } from '../../../test/flightRows.ts';
import { driftSpec } from './builders.ts';
import { alarmKey, type Finding } from './judge.ts';
import { DriftWatch } from './watch.ts';

const SLOT = 5 * 60_000;
const START = Date.parse('2030-01-01T00:00:00Z');
const rows = flightRows();
const even = rows.filter((_, i) => i % 2 === 0);
const odd = rows.filter((_, i) => i % 2 === 1);
const baseline = flightBaseline(even);

/** What an hour of these rows is judged to be, an equal part of them in each slot. */
function judged(asked: readonly FlightRow[], spec = driftSpec()): readonly Finding[] {
  const watch = new DriftWatch({ slotMs: SLOT, slots: 12, baseline });
  for (let slot = 0; slot <= 12; slot += 1) {
    const until = Math.round((asked.length * slot) / 12);
    const at = new Date(START + Math.max(0, slot * SLOT - 1));
    const process = { startedAt: new Date(START).toISOString(), ...flightCounts(baseline, asked.slice(0, until)) };
    watch.record('pod', evidenceDocument(process), at);
  }
  const sight = watch.look({ spec, now: new Date(START + 12 * SLOT), before: new Set() });
  if (sight.kind !== 'Judged') throw new Error(sight.message);
  expect(sight.rows).toBe(asked.length);
  return sight.findings;
}
const drifted = (findings: readonly Finding[]): readonly string[] =>
  findings.filter((finding) => finding.drifted).map(alarmKey);

/** In another order than that of their departure, the same one each time. */
const mixed = (of: readonly FlightRow[]): readonly FlightRow[] =>
  of.map((_, i) => of[(i * 7919) % of.length] as FlightRow);

test('real flights of the months of training are no drift', () => {
  const findings = judged(mixed(odd));
  expect(drifted(findings)).toEqual([]);
  expect(Math.max(...findings.filter(({ measure }) => measure === 'psi').map(({ value }) => value))).toBeLessThan(0.02);
});

test('a thousand of them are no drift either', () => {
  expect(drifted(judged(mixed(odd).slice(0, 1000)))).toEqual([]);
});

test('long flights only: the distance has drifted, and is the worst', () => {
  const long = mixed(odd).filter(({ distance }) => distance > 1000);
  const findings = judged(long);
  expect(drifted(findings)[0]).toBe('psi/distance');
  expect(findings[0]?.low).toBeGreaterThan(0.2);
});

test('evenings only: the hour and what the model says of it have drifted, the distance has not', () => {
  const evening = mixed(odd).filter(({ hour }) => hour >= 17);
  const found = drifted(judged(evening));
  expect(found).toContain('psi/hour');
  expect(found).toContain('psi/late');
  expect(found).not.toContain('psi/distance');
});

test('flights of one hour are a drift of the hour: a window has to hold what repeats', () => {
  expect(drifted(judged(mixed(odd).filter(({ hour }) => hour === 9)))).toContain('psi/hour');
});

test('one airport that takes over: its name among the origins is the worst', () => {
  const dallas = [...mixed(odd).slice(0, 1500), ...mixed(odd.filter(({ origin }) => origin === 'DFW')).slice(0, 400)];
  expect(drifted(judged(mixed(dallas)))[0]).toBe('psi/origin');
});

test('flights in the order of their departure are no drift in their hours, though each slot has other ones', () => {
  // 10,000 flights of three months in 12 slots: each slot is a week of its own.
  expect(drifted(judged(odd))).toEqual([]);
});
