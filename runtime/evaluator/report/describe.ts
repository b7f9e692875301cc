import type { Prediction } from '@slipway/crds/contract';
import { availableCores } from '../../server/engine/cores.ts';
import type { Judged } from '../gates/judge.ts';
import { estimate, METRICS, type Metric, metricsFor } from '../metrics.ts';
import type { RandomBelow } from '../random.ts';
import { type Sample, sampleOf } from '../sample.ts';
import type { EvaluatorFacts, GateRow, MetricRow } from './document.ts';
import { type Picture, pictureOf } from './picture.ts';
import { type SliceRow, slicesOf } from './slices.ts';

export interface Description {
  readonly metrics: readonly MetricRow[];
  readonly slices: readonly SliceRow[];
  readonly picture: Picture;
}

/** Every metric that the predictions allow, its slices and what the plots show. Undefined for a file without predictions. */
export function describePredictions(
  predictions: readonly Prediction[],
  judged: readonly Judged[],
  random: () => RandomBelow,
): Description {
  const sample = sampleOf(predictions);
  const names = metricsFor(sample);
  const metrics = names
    .map((metric) => ({ metric, ...estimate(metric, sample, random()), method: METRICS[metric].method }))
    .filter(({ value }) => !Number.isNaN(value));
  const main = mainMetric(names, judged);
  return {
    metrics,
    slices: main === undefined ? [] : slicesOf(main, predictions, sample, random),
    picture: pictureOf(sample, hasBothClasses(sample) && names.includes('rocAuc'), names.includes('r2')),
  };
}

/** The first metric that a gate asks for, and that says something of a slice; else the plainest there is. */
function mainMetric(names: readonly Metric[], judged: readonly Judged[]): Metric | undefined {
  const asked = judged.map(({ gate }) => gate.metric).find((metric) => metric !== undefined && names.includes(metric));
  return asked ?? (['accuracy', 'meanAbsoluteError'] as const).find((metric) => names.includes(metric));
}

const hasBothClasses = ({ positive }: Sample): boolean => positive.includes(1) && positive.includes(0);

export const gateRows = (judged: readonly Judged[]): readonly GateRow[] =>
  judged.map(({ gate, result, finding: { method, facts } }) => ({
    ...result,
    gate,
    ...(method === undefined ? {} : { method }),
    ...(facts === undefined ? {} : { facts }),
  }));

export const evaluatorFacts = async (): Promise<EvaluatorFacts> => ({
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
  cores: (await availableCores()).count,
});
