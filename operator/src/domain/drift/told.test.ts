import type { Condition } from '@slipway/crds';
import { expect, test } from 'vitest';
import { mergeConditions } from '../../kube/conditions.ts';
import { driftSpec } from './builders.ts';
import { alarmKey, type Finding } from './judge.ts';
import { isNews } from './news.ts';
import type { Measure } from './questions.ts';
import { alarms, type Before, noteOf, type Sight, type Telling, type Told, tell } from './told.ts';

const NOON = new Date('2030-01-01T12:00:00Z');
const telling: Telling = { spec: driftSpec(), version: '1.0.0', now: NOON };
const at = (minutes: number, of: Partial<Telling> = {}): Telling => ({
  ...telling,
  now: new Date(NOON.getTime() + minutes * 60_000),
  ...of,
});

const finding = (name: string, value: number, of: Partial<Finding> = {}): Finding => ({
  name,
  measure: 'psi' as Measure,
  value,
  low: value * 0.9,
  high: value * 1.1,
  limit: '0.2',
  bound: 0.2,
  n: 3120,
  drifted: value >= 0.2,
  reach: value / 0.2,
  ...of,
});
const judged = (findings: readonly Finding[], notes: readonly string[] = []): Sight => ({
  kind: 'Judged',
  rows: 3120,
  findings,
  asked: new Set(['psi/distance', 'psi/delay', ...findings.map(alarmKey)]),
  notes,
});
/** What the status says once this was told. */
const said = ({ condition, drift }: Told, stored: Before = {}, generation = 1): Before => {
  const [merged] = mergeConditions(stored.condition ? [stored.condition] : [], [condition], generation, NOON);
  return { condition: merged as Condition, ...(drift === undefined ? {} : { drift }) };
};
const drifted = said(tell({}, judged([finding('distance', 0.41), finding('delay', 0.02)]), telling));
const blind: Sight = { kind: 'Blind', message: 'No pod can be read.' };

test('an alarm names the worst with value, interval, limit and rows', () => {
  expect(drifted.condition).toMatchObject({
    status: 'True',
    reason: 'DriftDetected',
    message: 'distance psi 0.41 (0.369 to 0.451), limit 0.2, 3,120 rows.',
  });
  expect(drifted.drift).toEqual({
    at: '2030-01-01T12:00:00Z',
    version: '1.0.0',
    n: 3120,
    worst: [
      {
        name: 'distance',
        measure: 'psi',
        value: '0.41',
        low: '0.369',
        high: '0.451',
        limit: '0.2',
        n: 3120,
        drifted: true,
      },
      {
        name: 'delay',
        measure: 'psi',
        value: '0.02',
        low: '0.018',
        high: '0.022',
        limit: '0.2',
        n: 3120,
        drifted: false,
      },
    ],
  });
});

test('shares are told in percent, an accuracy with what it must reach', () => {
  const findings = [
    finding('rows', 0.05, { measure: 'outliers', limit: '1%', drifted: true }),
    finding('carrier', 0.12, { measure: 'unseen', limit: '5%', drifted: true }),
    finding('labels', 0.7, { measure: 'accuracy', limit: '75%', drifted: true, low: 0.66, high: 0.74, n: 312 }),
  ];
  expect(tell({}, judged(findings), telling).condition.message).toBe(
    'outliers 5% (4.5% to 5.5%), limit 1%, 3,120 rows; carrier unseen 12% (10.8% to 13.2%), limit 5%, 3,120 rows; accuracy 70% (66% to 74%), at least 75%, 312 labels.',
  );
});

const uncalibrated = finding('labels', 0.15, {
  measure: 'calibration',
  limit: '5%',
  low: 0.09,
  high: 0.21,
  n: 2000,
  drifted: true,
  detail: 'overconfident by 14%, worst from 0.9 to 1: 97% sure, 80% right, 812 labels',
});

test('a calibration error is told with which way and where, and as long as nothing more is known', () => {
  const sentence =
    'calibration error 15% (9% to 21%), limit 5%, 2,000 labels, overconfident by 14%, worst from 0.9 to 1: 97% sure, 80% right, 812 labels.';
  const told = tell({}, judged([uncalibrated]), telling);
  expect(told.condition).toMatchObject({ status: 'True', message: sentence });
  expect(tell(said(told), blind, at(60)).condition.message).toContain(sentence);
});

test('more than eight findings are cut to the worst, more than three alarms to their number', () => {
  const all = Array.from({ length: 12 }, (_, i) => finding(`f${i}`, 2 - i * 0.1));
  const { condition, drift } = tell({}, judged(all), telling);
  expect(drift?.worst?.map(({ name }) => name)).toEqual(['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7']);
  expect(condition.message).toMatch(/^f0 .*; f1 .*; f2 .*; and 9 more\.$/);
});

test('a feature and a prediction of one name make one entry, the worse: the API keys them by name and measure', () => {
  const { drift } = tell({}, judged([finding('delay', 0.5), finding('delay', 0.1)]), telling);
  expect(drift?.worst?.map(({ value }) => value)).toEqual(['0.5']);
});

test.each([
  ['nannyml#88: too few rows', judged([]), 'InsufficientData', 'Fewer than 200 rows in the last 1h.'],
  ['no pod answers', blind, 'Blind', 'No pod can be read.'],
  [
    'nothing moved',
    judged([finding('distance', 0.03)]),
    'NoDrift',
    /3,120 rows of the last 1h are like .* Furthest: distance psi 0\.03/,
  ],
] as const)('%s: False', (_, sight, reason, message) => {
  const { condition } = tell({}, sight, telling);
  expect(condition).toMatchObject({ type: 'DriftDetected', status: 'False', reason });
  expect(condition.message).toMatch(message);
});

test('what the spec asks for and the model has not is said whatever the verdict', () => {
  const note = 'The baseline has no dist: it has distance.';
  expect(tell({}, judged([], [note]), telling).condition.message).toContain(note);
  expect(tell({}, judged([finding('distance', 0.5)], [note]), telling).condition.message).toContain(note);
  expect(tell({}, judged([finding('distance', 0.1)], [note]), telling).condition.message).toContain(note);
});

test.each([
  ['blindness', blind],
  ['too few rows', judged([])],
  ['rows of other features only', judged([finding('delay', 0.01)])],
] as const)('an alarm does not end by %s', (_, sight) => {
  const { condition } = tell(drifted, sight, at(60));
  expect(condition).toMatchObject({ status: 'True', reason: 'DriftDetected' });
  expect(condition.message).toContain('distance psi 0.41');
});

test('an alarm ends when the feature is judged and is no drift, is not asked about any more, or another version serves', () => {
  const judgedCalm = tell(drifted, judged([finding('distance', 0.1)]), at(60));
  expect(judgedCalm.condition).toMatchObject({ status: 'False', reason: 'NoDrift' });
  const ignored: Sight = { ...judged([finding('delay', 0.01)]), asked: new Set(['psi/delay']) } as Sight;
  expect(tell(drifted, ignored, at(60)).condition).toMatchObject({ status: 'False', reason: 'NoDrift' });
  const promoted = tell(drifted, judged([]), at(60, { version: '1.1.0' }));
  expect(promoted).toEqual({ condition: expect.objectContaining({ status: 'False', reason: 'InsufficientData' }) });
});

test('an operator that starts again reads its alarms from the status, those of another version not', () => {
  expect([...alarms(drifted, telling)]).toEqual(['psi/distance']);
  expect([...alarms(drifted, at(0, { version: '1.1.0' }))]).toEqual([]);
});

test.each([
  ['begins', {}, judged([finding('distance', 0.41)]), 'DriftDetected', 'Warning'],
  ['spreads', drifted, judged([finding('distance', 0.41), finding('delay', 0.3)]), 'DriftDetected', 'Warning'],
  ['ends', drifted, judged([finding('distance', 0.01)]), 'DriftGone', 'Normal'],
] as const)('an Event is told when an alarm %s', (_, before, sight, reason, type) => {
  expect(noteOf(before, tell(before, sight, at(5)))).toMatchObject({ reason, type, action: 'WatchDrift' });
});

test.each([
  ['goes on', drifted, judged([finding('distance', 0.6)])],
  ['never was', {}, judged([finding('distance', 0.01)])],
  ['can not be seen', drifted, blind],
] as const)('no Event is told when an alarm %s', (_, before, sight) => {
  expect(noteOf(before, tell(before, sight, at(5)))).toBeUndefined();
});

const calm = said(tell({}, judged([finding('distance', 0.1), finding('delay', 0.02)]), telling));
const news = (before: Before, sight: Sight, when: Telling, generation = 1): boolean =>
  isNews(before, tell(before, sight, when), generation, when);

test.each([
  ['the same again', judged([finding('distance', 0.1), finding('delay', 0.02)]), false],
  ['numbers that move by less than a tenth of their limit', judged([finding('distance', 0.118)]), false],
  ['another feature among the calm ones', judged([finding('distance', 0.1), finding('carrier', 0.05)]), false],
  ['numbers that move by more', judged([finding('distance', 0.13)]), true],
  ['an alarm', judged([finding('distance', 0.21)]), true],
  ['another limit', judged([finding('distance', 0.1, { limit: '0.3' })]), true],
  ['blindness', blind, true],
] as const)('the status is written for %s: %s', (_, sight, wanted) => {
  expect(news(calm, sight, at(5))).toBe(wanted);
});

test('the status is written for a sentence that it does not have yet, and not for one that it has', () => {
  const numbers = [finding('distance', 0.1), finding('delay', 0.02)];
  const note = 'No labelled answer told a probability.';
  expect(news(calm, judged(numbers, [note]), at(5))).toBe(true);
  const noted = said(tell(calm, judged(numbers, [note]), at(5)), calm);
  expect(news(noted, judged(numbers, [note]), at(10))).toBe(false);
});

test('the status is written for a new spec, and when it has not been for two windows', () => {
  const same = judged([finding('distance', 0.1), finding('delay', 0.02)]);
  expect(news(calm, same, at(5), 2)).toBe(true);
  expect(news(calm, same, at(119))).toBe(false);
  expect(news(calm, same, at(120))).toBe(true);
});

test('what does not change is not written while there is nothing to judge', () => {
  const unseen = said(tell({}, blind, telling));
  expect(news({}, blind, telling)).toBe(true);
  expect(news(unseen, blind, at(600))).toBe(false);
  const kept = said(tell(drifted, blind, at(5)), drifted);
  expect(news(drifted, blind, at(5))).toBe(true);
  expect(news(kept, blind, at(10))).toBe(false);
});
