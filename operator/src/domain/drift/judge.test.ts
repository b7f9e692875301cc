import { expect, test } from 'vitest';
import { seeded } from '../../../test/random.ts';
import { baseline, binned, categorical, counted, driftSpec, numeric, spread } from './builders.ts';
import { type Counts, NO_BINS } from './counts.ts';
import { alarmKey, type Finding, judge as judgeLook, type Look } from './judge.ts';
import { questions } from './questions.ts';
import { Dispersions } from './series.ts';

const EVEN = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
const SHIFTED = [1, 1, 1, 1, 1, 1, 1, 3, 5, 7];
const EVERY = 5 * 60_000;
const trained = numeric('distance', spread(20_000, EVEN));
type Asked = Omit<Look, 'dispersions'>;
/** A first look, which has seen nothing but the slots of its window. */
function judge(asked: Asked): readonly Finding[] {
  const dispersions = new Dispersions();
  for (const slot of asked.slots) dispersions.add(questions(asked.spec, asked.baseline), slot);
  return judgeLook({ ...asked, dispersions });
}
const look = (of: Partial<Asked>): Asked => ({
  spec: driftSpec(),
  baseline: baseline([trained]),
  slots: [],
  everyMs: EVERY,
  before: new Set(),
  ...of,
});
/** Six slots that hold the same. */
const often = (counts: Counts): readonly Counts[] => Array.from({ length: 6 }, () => counts);
const find = (findings: readonly Finding[], measure: string, name = 'distance'): Finding | undefined =>
  findings.find((finding) => finding.measure === measure && finding.name === name);
const distancesOf = (rows: number, weights: readonly number[]) => counted([binned('distance', spread(rows, weights))]);

test('traffic like the training data has no drift, and the same traffic shifted has', () => {
  const [calm] = judge(look({ slots: often(distancesOf(500, EVEN)) }));
  expect(calm).toMatchObject({ name: 'distance', measure: 'psi', limit: '0.2', n: 3000, drifted: false });
  expect(calm?.value).toBe(0);
  const [shifted] = judge(look({ slots: often(distancesOf(500, SHIFTED)) }));
  expect(shifted).toMatchObject({ drifted: true, n: 3000 });
  expect(shifted?.value).toBeGreaterThan(0.4);
  expect(shifted?.low).toBeGreaterThan(0.2);
  expect(shifted?.high).toBeGreaterThan(shifted?.value ?? 0);
});

test('evidently#509: fewer rows than minSamples give no finding, however odd they look', () => {
  const odd = often(distancesOf(30, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
  expect(judge(look({ slots: odd }))).toEqual([]);
  expect(judge(look({ slots: odd, spec: driftSpec({ minSamples: 180 }) }))).toHaveLength(2);
});

test('alibi-detect#197: a large window does not alarm on a difference that is real and too small to matter', () => {
  const slight = often(distancesOf(500_000, [10, 10, 10, 10, 10, 10, 10, 10, 10, 12]));
  expect(judge(look({ slots: slight }))[0]).toMatchObject({ drifted: false, n: 3_000_000 });
});

test('a large effect that chance may well have made is no alarm', () => {
  const few = often(distancesOf(40, [4, 4, 4, 4, 4, 4, 4, 4, 6, 9]));
  const strict = look({ slots: few, spec: driftSpec({ psi: '0.05', falseAlarms: { max: 1, per: '3650d' } }) });
  const [finding] = judge(strict);
  expect(finding?.value).toBeGreaterThan(0.05);
  expect(finding?.drifted).toBe(false);
});

test('Arize-ai/phoenix#730: bins that training left empty do not make an index of 15', () => {
  const holes = numeric('distance', [5000, 0, 0, 5000]);
  const slots = often(counted([binned('distance', [249, 1, 0, 250])]));
  const [finding] = judge(look({ baseline: baseline([holes]), slots }));
  expect(finding?.value).toBeLessThan(0.05);
  expect(finding?.drifted).toBe(false);
});

test('js and ks are judged where they are asked for, ks over ordered bins only', () => {
  const both = baseline([trained, categorical('origin', [500, 300, 200])]);
  const slots = often(counted([binned('distance', spread(500, SHIFTED)), binned('origin', [250, 150, 100, 0])]));
  const findings = judge(look({ baseline: both, slots, spec: driftSpec({ js: '0.1', ks: '0.2' }) }));
  const distances = findings.filter(({ measure }) => measure !== 'missing');
  expect(distances.map(alarmKey).sort()).toEqual([
    'js/distance',
    'js/origin',
    'ks/distance',
    'psi/distance',
    'psi/origin',
  ]);
  expect(find(findings, 'js')?.drifted).toBe(true);
  expect(find(findings, 'ks')).toMatchObject({ drifted: true, limit: '0.2' });
  expect(find(findings, 'ks')?.value).toBeGreaterThan(0.35);
  expect(find(findings, 'js', 'origin')?.drifted).toBe(false);
});

test('a limit of a single feature or prediction stands instead of the one for all', () => {
  const slots = often(
    counted([binned('distance', spread(500, SHIFTED)), binned('delay', spread(500, SHIFTED))], {
      predictions: [binned('probability', spread(500, SHIFTED))],
    }),
  );
  const of = baseline(
    [trained, numeric('delay', spread(20_000, EVEN))],
    [numeric('probability', spread(20_000, EVEN))],
  );
  const spec = driftSpec({ features: { distance: { psi: '5' }, probability: { ks: '0.9' } } });
  const findings = judge(look({ baseline: of, slots, spec }));
  expect(
    findings
      .filter(({ drifted }) => drifted)
      .map(alarmKey)
      .sort(),
  ).toEqual(['psi/delay', 'psi/probability']);
  expect(find(findings, 'psi')?.limit).toBe('5');
  expect(find(findings, 'ks', 'probability')).toMatchObject({ limit: '0.9', drifted: false });
});

test('an ignored feature is not looked at, whatever becomes of it', () => {
  const slots = often(distancesOf(500, SHIFTED));
  expect(judge(look({ slots, spec: driftSpec({ ignore: ['distance'], missing: '1%' }) }))).toEqual([]);
});

test('predictions that move are a drift like features that move', () => {
  const of = baseline([], [numeric('probability', spread(20_000, EVEN))]);
  const slots = often(counted([], { rows: 500, predictions: [binned('probability', spread(500, SHIFTED))] }));
  expect(judge(look({ baseline: of, slots }))[0]).toMatchObject({ name: 'probability', measure: 'psi', drifted: true });
});

test.each([
  ['missing', { missing: 100 }, true],
  ['missing', { nonFinite: 100 }, true],
  ['missing', { missing: 15 }, false],
  ['outOfRange', { outOfRange: 100 }, true],
  ['outOfRange', { outOfRange: 10 }, false],
] as const)('%s values: %o in each 500 rows beyond a limit of 5%%: %s', (measure, faults, drifted) => {
  const slots = often(counted([binned('distance', spread(500, EVEN), faults)]));
  const finding = find(judge(look({ slots, spec: driftSpec({ [measure]: '5%' }) })), measure);
  expect(finding).toMatchObject({ drifted, limit: '5%' });
});

test('values that training lacked as often are not missing', () => {
  const of = baseline([trained], [], 25_000); // 20,000 of 25,000 rows had a distance
  const slots = often(counted([binned('distance', spread(400, EVEN), { missing: 100 })]));
  const spec = driftSpec({ missing: '5%' });
  expect(find(judge(look({ baseline: of, slots, spec })), 'missing')?.value).toBeCloseTo(0, 10);
  const worse = often(counted([binned('distance', spread(300, EVEN), { missing: 200 })]));
  expect(find(judge(look({ baseline: of, slots: worse, spec })), 'missing')).toMatchObject({ drifted: true });
});

test('a feature that vanished is missing, though no distance can be told of values that are not there', () => {
  const gone = often(counted([binned('distance', spread(0, EVEN), { missing: 500 })], { rows: 500 }));
  const findings = judge(look({ slots: gone, spec: driftSpec({ missing: '10%' }) }));
  expect(findings.map(alarmKey)).toEqual(['missing/distance']);
  expect(findings[0]).toMatchObject({ drifted: true, value: 1, n: 3000 });
});

test('categories that training did not have are told of features with categories only', () => {
  const of = baseline([trained, categorical('origin', [500, 500])]);
  const slots = often(
    counted([binned('distance', spread(500, EVEN)), binned('origin', [220, 220, 60], { unseen: 60 })]),
  );
  const findings = judge(look({ baseline: of, slots, spec: driftSpec({ unseen: '5%', psi: '2' }) }));
  expect(findings.filter(({ measure }) => measure === 'unseen')).toMatchObject([
    { name: 'origin', drifted: true, n: 3000, value: 0.12 },
  ]);
});

test('rows far from training are counted over all features together', () => {
  const far = often(counted([], { outliers: { judged: 500, beyond: 25 } }));
  const [finding] = judge(look({ baseline: baseline([]), slots: far, spec: driftSpec({ outliers: '1%' }) }));
  expect(finding).toMatchObject({ name: 'rows', measure: 'outliers', value: 0.05, drifted: true, n: 3000 });
});

test.each([
  [400, 100, false],
  [300, 200, true],
])('labels: %d right and %d wrong of each 500, at least 75%% asked for: %s', (right, wrong, drifted) => {
  const slots = often(counted([], { labels: { right, wrong } }));
  const spec = driftSpec({ accuracy: { min: '75%' } });
  const [finding] = judge(look({ baseline: baseline([]), slots, spec }));
  expect(finding).toMatchObject({ name: 'labels', measure: 'accuracy', value: right / 500, drifted, n: 3000 });
  expect(finding?.low).toBeLessThan(right / 500);
  expect(finding?.high).toBeGreaterThan(right / 500);
});

const labelled = (right: number, more: Partial<Counts> = {}) =>
  counted([], {
    labels: { right, wrong: 200 - right },
    calibration: NO_BINS.map((none, i) => (i === 9 ? { n: 200, right, confidence: 190 } : none)),
    ...more,
  });
const calibrated = driftSpec({ calibration: { max: '5%' } });

test.each([
  ['as right as it is sure', 190, false],
  ['95% sure and 80% right', 160, true],
  ['right more often than it says, within the limit', 199, false],
])('calibration: a model that is %s: %d of 200 right: %s', (_, right, drifted) => {
  const [finding] = judge(look({ baseline: baseline([]), slots: often(labelled(right)), spec: calibrated }));
  expect(finding).toMatchObject({ name: 'labels', measure: 'calibration', limit: '5%', n: 1200, drifted });
  expect(finding?.value).toBeCloseTo(Math.max(0, Math.abs(0.95 - right / 200)), 2);
  expect(finding?.detail).toContain('worst from 0.9 to 1: 95% sure');
});

test('calibration is not judged by fewer labels than minSamples, nor by those of one slot', () => {
  const few = { baseline: baseline([]), spec: driftSpec({ calibration: { max: '5%' }, minSamples: 1201 }) };
  expect(judge(look({ ...few, slots: often(labelled(100)) }))).toEqual([]);
  expect(judge(look({ ...few, spec: calibrated, slots: [labelled(100)] }))).toEqual([]);
});

test('labels without a probability are none of calibration, and hide nothing of the accuracy', () => {
  const spec = driftSpec({ calibration: { max: '5%' }, accuracy: { min: '75%' } });
  const slots = often(labelled(100, { calibration: NO_BINS }));
  const findings = judge(look({ baseline: baseline([]), slots, spec }));
  expect(findings.map(alarmKey)).toEqual(['accuracy/labels']);
  expect(findings[0]?.drifted).toBe(true);
});

test('few callers with labels that are all alike keep the budget of an accuracy that is just as asked', () => {
  const random = seeded(77);
  const spec = driftSpec({ accuracy: { min: '95%' }, falseAlarms: { max: 1, per: '1d' } });
  const asked = look({ baseline: baseline([]), spec });
  const all = questions(spec, asked.baseline);
  const dispersions = new Dispersions();
  const slots: Counts[] = [];
  let held = 0;
  for (let slot = 0; slot < 10 * 288; slot += 1) {
    const wrong = 25 * [random(), random(), random()].filter((drawn) => drawn < 0.05).length;
    slots.push(counted([], { labels: { right: 75 - wrong, wrong } }));
    if (slots.length > 12) slots.shift();
    dispersions.add(all, slots.at(-1) as Counts);
    if (judgeLook({ ...asked, slots, dispersions })[0]?.drifted) held += 1;
  }
  expect(held).toBeLessThanOrEqual(10);
});

test('an alarm of calibration ends when its lower bound is below 0.8 of the limit', () => {
  const [{ low = 0 } = {}] = judge(look({ baseline: baseline([]), slots: often(labelled(160)), spec: calibrated }));
  const limited = (max: number, before: ReadonlySet<string>): boolean | undefined => {
    const spec = driftSpec({ calibration: { max: `${(max * 100).toFixed(4)}%` } });
    return judge(look({ baseline: baseline([]), slots: often(labelled(160)), spec, before }))[0]?.drifted;
  };
  const was = new Set(['calibration/labels']);
  expect(limited(low * 1.1, new Set())).toBe(false);
  expect(limited(low * 1.1, was)).toBe(true);
  expect(limited(low / 0.75, was)).toBe(false);
});

test('an alarm ends below 0.8 of its limit, and not at the limit itself', () => {
  const slots = often(distancesOf(500, [10, 10, 10, 10, 10, 10, 10, 10, 22, 30]));
  const psi = find(judge(look({ slots })), 'psi')?.value ?? 0;
  const limited = (limit: number, before: ReadonlySet<string>): boolean | undefined =>
    find(judge(look({ slots, spec: driftSpec({ psi: limit.toFixed(4) }), before })), 'psi')?.drifted;
  const was = new Set(['psi/distance']);
  expect(limited(psi * 1.1, new Set())).toBe(false);
  expect(limited(psi * 1.1, was)).toBe(true);
  expect(limited(psi / 0.75, was)).toBe(false);
});

test('the worst come first: what drifted, then what is nearest to its limit', () => {
  const of = baseline(['a', 'b', 'c'].map((name) => numeric(name, spread(20_000, EVEN))));
  const slots = often(
    counted([
      binned('a', spread(500, [10, 10, 10, 10, 10, 10, 10, 10, 14, 14])),
      binned('b', spread(500, EVEN)),
      binned('c', spread(500, SHIFTED)),
    ]),
  );
  const psi = judge(look({ baseline: of, slots })).filter(({ measure }) => measure === 'psi');
  expect(psi.map(({ name }) => name)).toEqual(['c', 'a', 'b']);
});

test('the budget of false alarms is shared by all questions: with more features an alarm needs more', () => {
  const slots = often(counted([binned('distance', spread(35, [1, 1, 1, 1, 1, 1, 1, 2, 2, 3]))]));
  const alone = (per: string) =>
    judge(look({ slots, spec: driftSpec({ psi: '0.05', falseAlarms: { max: 1, per } }) }))[0]?.drifted;
  expect([alone('1h'), alone('3650d')]).toEqual([true, false]);
});

test.each([
  [120, 0.2, false],
  [300, 0.18, true],
])('an index of 0.25 in %d rows among twenty features (a lean of %d a bin) is told: %s', (rows, lean, told) => {
  const leaning = Array.from({ length: 10 }, (_, i) => Math.exp(lean * i));
  const slots = Array.from({ length: 6 }, () => distancesOf(rows / 6, leaning));
  const spec = driftSpec({ minSamples: 100, falseAlarms: { max: 1, per: '600d' } });
  const finding = find(judge(look({ slots, spec })), 'psi');
  expect(finding?.value).toBeGreaterThan(0.2);
  expect(finding?.value).toBeLessThan(0.3);
  expect(finding?.drifted).toBe(told);
});

test('evidently#50: the index of the same traffic does not depend on how many rows there are', () => {
  const leaning = Array.from({ length: 10 }, (_, i) => Math.exp(0.2 * i));
  const index = (rows: number): number =>
    find(judge(look({ slots: often(distancesOf(rows, leaning)) })), 'psi')?.value ?? 0;
  const large = index(100_000);
  for (const rows of [60, 200, 1000]) {
    const random = seeded(rows);
    const total = leaning.reduce((a, b) => a + b, 0);
    const until = leaning.map((_, i) => leaning.slice(0, i + 1).reduce((a, b) => a + b, 0) / total);
    const drawn = (): readonly number[] => {
      const counts = new Array<number>(10).fill(0);
      for (let i = 0; i < rows; i += 1) {
        const at = random();
        const bin = until.findIndex((share) => at < share);
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      return counts;
    };
    const indices = Array.from({ length: 40 }, () => {
      const slots = Array.from({ length: 6 }, () => counted([binned('distance', drawn())]));
      return find(judge(look({ slots })), 'psi')?.value ?? 0;
    });
    const mean = indices.reduce((a, b) => a + b, 0) / indices.length;
    expect(Math.abs(mean - large)).toBeLessThan(large * 0.15);
  }
});
