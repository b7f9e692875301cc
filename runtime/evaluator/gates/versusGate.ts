import type { Prediction } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { bootstrap } from '../intervals/bootstrap.ts';
import type { Estimate } from '../intervals/interval.ts';
import { meanInterval } from '../intervals/mean.ts';
import { pairedDifference } from '../intervals/paired.ts';
import { METRICS, type Metric } from '../metrics.ts';
import type { RandomBelow } from '../random.ts';
import { type Sample, sampleOf } from '../sample.ts';
import { advice } from './advice.ts';
import { type MetricGate, minSamplesOf, nameOf, requireAnswers, rowsOf } from './answers.ts';
import { comparison, type Finding, number, verdictOf } from './verdict.ts';

/** Another version and what it answered. */
export interface RivalAnswers {
  readonly name: string;
  readonly version: string;
  readonly predictions: readonly Prediction[];
}

const SCORE_TEST = "Tango's score interval of paired shares";
const STUDENTISED = 'studentised bootstrap of the differences, 2,000 resamples';
const RESAMPLED = 'bootstrap of the pairs, bias-corrected and accelerated, 2,000 resamples';

const isVersion = (versus = ''): boolean => /^\d/.test(versus);

/**
 * No version to compare with. A first version must not be held up by that; one that was named by its number was meant to
 * be there, and a slip of the pen must open no gate.
 */
export function nothingToCompare({ versus, metric, margin }: MetricGate): Finding {
  const base = { limit: -Number(margin ?? 0) || 0, n: 0 };
  if (!isVersion(versus)) {
    const message = `${metric}: there is no ${versus} version to compare with`;
    return { ...base, verdict: 'Pass', value: 0, low: 0, high: 0, message };
  }
  const message = `${metric}: there is no version ${versus} to compare with: name one that is there and verified, or write versus: Production`;
  return { ...base, verdict: 'NeedMore', value: Number.NaN, low: -1, high: 1, message };
}

/**
 * Holds a version against another on the examples that both were evaluated on: the lower bound of the difference, in the
 * good direction, must be at least −margin. Throws Failure EvaluationInvalid where an id has two labels.
 */
export function judgeVersus(
  gate: MetricGate,
  predictions: readonly Prediction[],
  all: Sample,
  rival: RivalAnswers,
  random: RandomBelow,
): Finding {
  const limit = -Number(gate.margin ?? 0) || 0;
  const mine = rowsOf(gate, predictions).map((row) => predictions[row] as Prediction);
  const [ours, theirs] = shared(gate, mine, rival);
  const part = ours.length < mine.length ? `; ${whole(ours.length)} of ${whole(mine.length)} ids are shared` : '';
  const base = { limit, n: ours.length, facts: { rival: rival.name, shared: ours.length, ofOurs: mine.length } };
  if (ours.length < minSamplesOf(gate)) {
    const message = `${nameOf(gate, all)}: ${ours.length} examples are shared with ${rival.version} by id, fewer than minSamples ${minSamplesOf(gate)}: evaluate both on the same held-out examples`;
    return { ...base, verdict: 'NeedMore', value: Number.NaN, low: -1, high: 1, message };
  }
  // One side may know a class that the other never names: means over other classes could not be compared.
  const both = [...predictions, ...rival.predictions];
  const [sample, other] = [sampleOf(ours, both), sampleOf(theirs, both)];
  requireAnswers(gate, theirs, other);
  const { estimate, method } = difference(gate.metric, sample, other, random);
  const verdict = verdictOf(estimate, limit, 'min');
  const hint = verdict === 'NeedMore' ? `; ${advice(estimate, limit, 'min', ours.length)}` : '';
  const { value, low, high } = estimate;
  const message = `${nameOf(gate, sample)} ${standing(value)} ${rival.version} (95 % ${signed(low)} to ${signed(high)}, n=${ours.length} pairs) and ${comparison(verdict, 'min', String(limit))}${hint}${part}`;
  return { ...base, ...estimate, verdict, message, method };
}

const standing = (value: number): string =>
  value === 0 ? 'is as in' : `is ${number(Math.abs(value))} ${value < 0 ? 'worse' : 'better'} than in`;
const whole = (value: number): string => value.toLocaleString('en');
const signed = (value: number): string => (value >= 0 ? '+' : '') + number(value);

/** Rows of both, in our order. */
function shared(gate: MetricGate, mine: readonly Prediction[], rival: RivalAnswers): [Prediction[], Prediction[]] {
  const theirs = new Map(rival.predictions.map((prediction) => [String(prediction.id), prediction]));
  const seen = new Set<string>();
  const pairs = mine.flatMap((ours): [Prediction, Prediction][] => {
    const id = String(ours.id);
    if (seen.has(id))
      throw new Failure(
        'EvaluationInvalid',
        `Gate ${gate.name}: two predictions have the id ${id}; examples are paired by id, so give each its own.`,
      );
    seen.add(id);
    const other = theirs.get(id);
    if (!other) return [];
    if (!isSameLabel(ours.label, other.label)) throw otherLabel(gate, ours, other, rival);
    return [[ours, other]];
  });
  return [pairs.map(([ours]) => ours), pairs.map(([, other]) => other)];
}

const isSameLabel = (a: number | string, b: number | string): boolean =>
  String(a) === String(b) || Number(a) === Number(b);

const otherLabel = ({ name }: MetricGate, ours: Prediction, theirs: Prediction, rival: RivalAnswers): Failure =>
  new Failure(
    'EvaluationInvalid',
    `Gate ${name}: example ${ours.id} has the label ${ours.label}, but ${theirs.label} in ${rival.name}: the two were not evaluated on the same held-out examples; give changed examples new ids.`,
  );

/** Ours less theirs, turned so that more is better, on the same examples in the same order. */
export function difference(metric: Metric, ours: Sample, theirs: Sample, random: RandomBelow) {
  const { better, of, share, term, widest } = METRICS[metric];
  const sign = better === 'higher' ? 1 : -1;
  const [a, b] = [share?.(ours), share?.(theirs)];
  if (a && b && isSameSet(a.among, b.among)) {
    return { estimate: turned(matched(a.of, b.of, a.among), sign), method: SCORE_TEST };
  }
  const reach = widest.high - widest.low;
  const wide = { low: -reach, high: reach };
  if (term) {
    const terms = Float64Array.from({ length: ours.size }, (_, i) => sign * (term(ours, i) - term(theirs, i)));
    return { estimate: meanInterval(terms, random, wide), method: STUDENTISED };
  }
  const statistic = (weights: ArrayLike<number>) => sign * (of(ours, weights) - of(theirs, weights));
  return { estimate: bootstrap(statistic, ours.size, random, wide), method: RESAMPLED };
}

const isSameSet = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined ? b === undefined : b !== undefined && a.every((mark, i) => mark === b[i]);

function matched(a: Uint8Array, b: Uint8Array, among: Uint8Array | undefined): Estimate {
  const counts = { ours: 0, theirs: 0, pairs: 0 };
  for (let i = 0; i < a.length; i++) {
    if (among?.[i] === 0) continue;
    counts.pairs += 1;
    if (a[i] === 1 && b[i] === 0) counts.ours += 1;
    if (a[i] === 0 && b[i] === 1) counts.theirs += 1;
  }
  return pairedDifference(counts);
}

const turned = ({ value, low, high }: Estimate, sign: number): Estimate =>
  sign > 0 ? { value, low, high } : { value: -value || 0, low: -high, high: -low };
