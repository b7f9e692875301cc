import { expect, test } from 'vitest';
import { binned as evidenceBins, evidenceDocument } from '../../../test/evidenceDocument.ts';
import { baseline, driftSpec, numeric, spread } from './builders.ts';
import { NO_BINS } from './counts.ts';
import type { Sight } from './told.ts';
import { DriftWatch, windowOptions } from './watch.ts';

const SLOT = 5 * 60_000;
const START = Date.parse('2030-01-01T00:00:00Z');
const at = (slots: number): Date => new Date(START + slots * SLOT);
const EVEN = [1, 1, 1, 1];
const of = baseline([numeric('distance', spread(10_000, EVEN)), numeric('hour', spread(10_000, EVEN))]);
const open = (model: typeof of | undefined = of): DriftWatch =>
  new DriftWatch({ slotMs: SLOT, slots: 12, baseline: model });

const rowsOf = (rows: number, ...names: readonly string[]) =>
  evidenceDocument({
    startedAt: new Date(START).toISOString(),
    features: names.map((name) => evidenceBins(name, spread(rows, EVEN))),
    predictions: [],
    labels: { right: rows, wrong: 0, unknown: 0 },
  });
const look = (watch: DriftWatch, slots: number, spec = driftSpec()): Sight =>
  watch.look({ spec, now: at(slots), before: new Set() });

test.each([
  ['1h', 20_000, { slotMs: 300_000, slots: 12 }],
  ['1d', 20_000, { slotMs: 7_200_000, slots: 12 }],
  ['1m', 20_000, { slotMs: 20_000, slots: 3 }],
  ['30s', 20_000, { slotMs: 30_000, slots: 1 }],
  ['5s', 20_000, { slotMs: 20_000, slots: 1 }],
])('a window of %s read every %d ms has %o', (window, periodMs, options) => {
  expect(windowOptions({ window }, periodMs)).toEqual(options);
});

test('rows of all pods and processes are judged together, in whatever order a pod lists its features', () => {
  const watch = open();
  watch.record('a', rowsOf(0, 'distance', 'hour'), at(0));
  watch.record('b', rowsOf(0, 'hour', 'distance'), at(0));
  watch.record('a', rowsOf(300, 'distance', 'hour'), at(0.5));
  watch.record('a', rowsOf(600, 'distance', 'hour'), at(1.5));
  watch.record('b', rowsOf(200, 'hour', 'distance'), at(0.9));
  const sight = look(watch, 2);
  expect(sight).toMatchObject({ kind: 'Judged', rows: 800 });
  expect(sight.kind === 'Judged' && sight.findings.map(({ n }) => n)).toEqual([800, 800, 800, 800]);
});

test('it is looked at once a slot, and again as soon as a blind watch sees', () => {
  const watch = open();
  expect(watch.isDue(at(1))).toBe(true);
  expect(look(watch, 1)).toMatchObject({ kind: 'Blind' });
  expect(watch.isDue(at(1.5))).toBe(false);
  watch.record('a', rowsOf(10, 'distance', 'hour'), at(1.6));
  expect(watch.isDue(at(1.6))).toBe(true);
  expect(look(watch, 1.6)).toMatchObject({ kind: 'Judged', findings: [] });
  expect(watch.isDue(at(1.9))).toBe(false);
  expect(watch.isDue(at(2))).toBe(true);
});

test.each([
  ['a feature that is not counted', rowsOf(10, 'hour'), 'the pods do not count feature distance.'],
  [
    'bins of another length',
    { ...rowsOf(10, 'hour'), features: [evidenceBins('distance', [1, 2]), evidenceBins('hour', EVEN)] },
    'feature distance comes in 2 bins and not in 4.',
  ],
  ['several', rowsOf(10), 'the pods do not count feature distance, and 1 more do not fit.'],
])('evidence that does not fit the baseline is told and not counted: %s', (_, evidence, message) => {
  const watch = open();
  watch.record('a', evidence, at(0.5));
  expect(look(watch, 1)).toEqual({
    kind: 'BaselineMismatch',
    message: `The evidence does not fit baseline.json: ${message}`,
  });
});

/** Labels of answers that were 95% sure; `told`: whether the pod counts that. */
const labelled = (labels: number, right: number, { told = true, epoch = 'e1' } = {}) =>
  evidenceDocument({
    epoch,
    startedAt: new Date(START).toISOString(),
    labels: {
      right,
      wrong: labels - right,
      unknown: 0,
      ...(told && {
        calibration: {
          bins: NO_BINS.map((none, i) => (i === 9 ? { n: labels, right, confidence: labels * 0.95 } : none)),
        },
      }),
    },
  });
const calibration = driftSpec({ calibration: { max: '5%' } });
const unread = (): DriftWatch => new DriftWatch({ slotMs: SLOT, slots: 12, baseline: undefined });
const calibrationOf = (sight: Sight) =>
  sight.kind === 'Judged' ? sight.findings.find(({ measure }) => measure === 'calibration') : undefined;

test('calibration is judged over all pods that tell it, and those of an older runtime beside them are said', () => {
  const watch = unread();
  for (let slot = 0; slot < 6; slot += 1) {
    watch.record('new', labelled(100 * (slot + 1), 80 * (slot + 1)), at(slot + 0.5));
    watch.record('old', labelled(100 * (slot + 1), 95 * (slot + 1), { told: false }), at(slot + 0.6));
  }
  const sight = look(watch, 6, calibration);
  expect(calibrationOf(sight)).toMatchObject({ n: 600, drifted: true });
  expect(calibrationOf(sight)?.value).toBeCloseTo(0.15, 2);
  expect(sight).toMatchObject({
    notes: [/no baseline/, /^Some labelled answers told no probability/].map((one) => expect.stringMatching(one)),
  });
});

test('a pod that tells its bins no more, and then again, has none of them counted twice', () => {
  const watch = unread();
  watch.record('a', labelled(300, 285), at(0.5));
  watch.record('a', labelled(320, 304, { told: false }), at(1.5));
  watch.record('a', labelled(400, 380), at(2.5));
  expect(calibrationOf(look(watch, 3, calibration))?.n).toBe(400);
});

test('a process that starts again counts from zero in calibration too', () => {
  const watch = unread();
  watch.record('a', labelled(300, 285), at(0.5));
  watch.record('a', labelled(200, 190, { epoch: 'e2' }), at(1.5));
  watch.record('a', labelled(400, 380, { epoch: 'e2' }), at(2.5));
  expect(calibrationOf(look(watch, 3, calibration))).toMatchObject({ n: 700, drifted: false, value: 0 });
});

test('pods that tell no probability hide nothing: what else is asked goes on, and what is not judged is said', () => {
  const watch = unread();
  for (let slot = 0; slot < 6; slot += 1)
    watch.record('old', labelled(100 * (slot + 1), 50 * (slot + 1), { told: false }), at(slot + 0.5));
  const sight = look(watch, 6, driftSpec({ accuracy: { min: '75%' }, calibration: { max: '5%' } }));
  expect(sight).toMatchObject({ kind: 'Judged', findings: [{ measure: 'accuracy', drifted: true }] });
  expect(sight.kind === 'Judged' && sight.notes.join(' ')).toContain('so calibration is not judged');
});

test('a model without a baseline is watched for its labels alone, where they are asked for', () => {
  const bare = new DriftWatch({ slotMs: SLOT, slots: 12, baseline: undefined });
  bare.record('a', rowsOf(300), at(0.5));
  bare.record('a', rowsOf(700), at(1.5));
  expect(look(bare, 2)).toMatchObject({ kind: 'NoBaseline' });
  bare.record('a', rowsOf(700), at(2.1));
  const sight = look(bare, 2.5, driftSpec({ accuracy: { min: '75%' } }));
  expect(sight).toMatchObject({
    kind: 'Judged',
    findings: [{ measure: 'accuracy', value: 1, n: 700, drifted: false }],
    notes: ['The model has no baseline.json, so nothing but its labels is watched.'],
  });
});
