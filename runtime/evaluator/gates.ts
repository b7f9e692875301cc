import type { Gate } from '@slipway/crds';
import type { GateResult, Prediction, Verdict } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { bootstrapIntervals, type Interval, wilsonInterval } from './intervals.ts';
import { METRICS, type Metric, measure } from './metrics.ts';
import type { RandomBelow } from './random.ts';
import { type Sample, sampleOf } from './sample.ts';

/**
 * Judges each gate on the predictions, in the order given. Throws Failure PredictionsInvalid when a gate needs a score
 * that a prediction lacks.
 */
export function judgeGates(
  gates: readonly Gate[],
  predictions: readonly Prediction[],
  random: RandomBelow,
): GateResult[] {
  requireScores(gates, predictions);
  const sample = sampleOf(predictions);
  const resampled = [...new Set(gates.map((gate) => gate.metric))].filter((m) => METRICS[m].kind === 'statistic');
  const intervals = bootstrapIntervals(resampled, sample, random);
  return gates.map((gate) => judge(gate, measurementOf(gate.metric, sample, intervals)));
}

/** Reads the verdict off an interval: sure on either side of the limit, else more samples are needed. */
export function verdictOf({ low, high }: Interval, limit: number, bound: 'min' | 'max'): Verdict {
  if (bound === 'min') return low >= limit ? 'Pass' : high < limit ? 'Fail' : 'NeedMore';
  return high <= limit ? 'Pass' : low > limit ? 'Fail' : 'NeedMore';
}

interface Measurement extends Interval {
  readonly value: number;
  readonly n: number;
}

function measurementOf(metric: Metric, sample: Sample, intervals: ReadonlyMap<Metric, Interval>): Measurement {
  const definition = METRICS[metric];
  // A metric without a value (no positive example, say) has no number in JSON: 0 with the widest interval says so.
  const value = measure(metric, sample) || 0;
  if (definition.kind === 'statistic') {
    const interval = intervals.get(metric) ?? { low: 0, high: definition.supremum };
    return { value, n: sample.size, ...interval };
  }
  const { successes, trials } = definition.count(sample);
  return { value, n: trials, ...wilsonInterval(successes, trials) };
}

function judge(gate: Gate, measured: Measurement): GateResult {
  const bound = gate.min === undefined ? 'max' : 'min';
  const written = gate[bound] ?? '';
  const limit = Number(written);
  const verdict = verdictOf(measured, limit, bound);
  return {
    name: gate.name,
    verdict,
    ...measured,
    limit,
    message: sentence(gate.metric, measured, verdict, bound, written),
  };
}

const VERDICT_WORDS: Readonly<Record<'min' | 'max', Readonly<Record<Verdict, string>>>> = {
  min: { Pass: 'is at least', Fail: 'is below', NeedMore: 'may be above or below' },
  max: { Pass: 'is at most', Fail: 'is above', NeedMore: 'may be above or below' },
};

function sentence(metric: Metric, m: Measurement, verdict: Verdict, bound: 'min' | 'max', limit: string): string {
  const number = (x: number) => x.toFixed(4);
  const advice = verdict === 'NeedMore' ? '; evaluate on more held-out examples' : '';
  return `${metric} ${number(m.value)} (95 % ${number(m.low)} to ${number(m.high)}, n=${m.n}) ${VERDICT_WORDS[bound][verdict]} ${limit}${advice}`;
}

function requireScores(gates: readonly Gate[], predictions: readonly Prediction[]): void {
  const needy = gates.find(({ metric }) => {
    const definition = METRICS[metric];
    return definition.kind === 'statistic' && definition.needsScore;
  });
  if (needy === undefined) return;
  const line = predictions.findIndex(({ score }) => score === undefined) + 1;
  if (line === 0) return;
  throw new Failure(
    'PredictionsInvalid',
    `Gate ${needy.name} needs a score on every prediction, but line ${line} has none; write the probability of class 1 as "score".`,
  );
}
