import type { Prediction } from '@slipway/crds/contract';
import { estimate, METRICS } from '../metrics.ts';
import type { RandomBelow } from '../random.ts';
import type { Sample } from '../sample.ts';
import { advice } from './advice.ts';
import { type MetricGate, minSamplesOf, nameOf, rowsOf, sampleOfRows } from './answers.ts';
import { comparison, type Finding, verdictOf, withInterval } from './verdict.ts';

/** Holds a metric against a number: the bound on the bad side must clear it. */
export function judgeLimit(
  gate: MetricGate,
  predictions: readonly Prediction[],
  all: Sample,
  random: RandomBelow,
): Finding {
  const bound = gate.min === undefined ? 'max' : 'min';
  const written = gate[bound] ?? '';
  const limit = Number(written);
  const rows = rowsOf(gate, predictions);
  const sample = sampleOfRows(all, predictions, rows);
  const name = `${nameOf(gate, all)}${gate.slice === undefined ? '' : ':'}`;
  const { widest, method } = METRICS[gate.metric];
  const fewest = minSamplesOf(gate);
  if (rows.length === 0) {
    return {
      verdict: 'NeedMore',
      value: Number.NaN,
      ...widest,
      limit,
      n: 0,
      message: `${name} no prediction is in the slice; evaluate on at least ${fewest} of it`,
      method,
    };
  }
  const measured = estimate(gate.metric, sample, random);
  const found = { ...measured, limit, method };
  if (Number.isNaN(measured.value)) {
    return {
      ...found,
      verdict: 'NeedMore',
      message: `${name} is undefined on these ${rows.length} predictions: ${whyUndefined(gate)}`,
    };
  }
  if (rows.length < fewest) {
    return {
      ...found,
      verdict: 'NeedMore',
      message: `${name} ${withInterval(measured, measured.n)} rests on ${rows.length} predictions, fewer than minSamples ${fewest}: evaluate on ${whole(fewest)} at least`,
    };
  }
  const verdict = verdictOf(measured, limit, bound);
  const hint = verdict === 'NeedMore' ? `; ${advice(measured, limit, bound, rows.length)}` : '';
  return {
    ...found,
    verdict,
    message: `${name} ${withInterval(measured, measured.n)} ${comparison(verdict, bound, written)}${hint}`,
  };
}

const whole = (value: number): string => value.toLocaleString('en');

const whyUndefined = ({ metric }: MetricGate): string =>
  metric === 'r2'
    ? 'all labels are the same'
    : 'they must hold examples of class 1, of the others, and some predicted as 1';
