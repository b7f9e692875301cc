import type { Gate } from '@slipway/crds';
import type { Prediction } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { isDefinedFor, METRICS, type Metric } from '../metrics.ts';
import { type Sample, sampleOf } from '../sample.ts';
import { rowsOfSlice } from './sliceExpression.ts';

/** A gate on a metric that the verifier computes. */
export type MetricGate = Gate & { readonly metric: Metric };

export const DEFAULT_MIN_SAMPLES = 30;
const NAMED = 5;
export const minSamplesOf = ({ minSamples }: Gate): number => minSamples ?? DEFAULT_MIN_SAMPLES;

/** The predictions that a gate is about, each with its place in the file. */
export function rowsOf(gate: MetricGate, predictions: readonly Prediction[]): readonly number[] {
  return gate.slice === undefined ? [...predictions.keys()] : rowsOfSlice(gate.slice, predictions, gate.name);
}

/** Columns of some of the predictions; what the classes are is a fact of all of them. */
export function sampleOfRows(all: Sample, predictions: readonly Prediction[], rows: readonly number[]): Sample {
  if (rows.length === predictions.length) return all;
  const part = sampleOf(rows.map((row) => predictions[row] as Prediction));
  const { classes, isBinary } = all;
  return {
    ...part,
    classes,
    isBinary,
    label: Uint16Array.from(rows, (row) => all.label[row] ?? 0),
    predicted: Uint16Array.from(rows, (row) => all.predicted[row] ?? 0),
  };
}

function requireClassOne({ name, metric }: MetricGate, sample: Sample): void {
  if (isDefinedFor(metric, sample)) return;
  const there = `${sample.classes.slice(0, NAMED).join(', ')}${sample.classes.length > NAMED ? ', …' : ''}`;
  throw new Failure(
    'PredictionsInvalid',
    `Gate ${name} needs a class 1, which ${metric} is about, but the classes are ${there}; write 1 for the class that it is to be about and 0 for the others.`,
  );
}

/** Throws Failure PredictionsInvalid, naming gate and line, where a prediction lacks what the metric is made of. */
export function requireAnswers(gate: MetricGate, predictions: readonly Prediction[], sample: Sample): void {
  const { needs } = METRICS[gate.metric];
  requireClassOne(gate, sample);
  if (needs === 'scores') {
    requireEach(gate, predictions, ({ score }) => score !== undefined, 'a score on every prediction', 'none', SCORE);
  } else if (needs === 'numbers') {
    const isNumber = (cell: number | string) => cell !== '' && Number.isFinite(Number(cell));
    requireEach(
      gate,
      predictions,
      ({ label, prediction }) => isNumber(label) && isNumber(prediction),
      'numbers as labels and predictions',
      'words',
      'use a metric of classes such as accuracy',
    );
  } else if (sample.classes.length === 0) {
    throw new Failure(
      'PredictionsInvalid',
      `Gate ${gate.name} needs classes, but the labels are measurements with over 1,000 values; use meanAbsoluteError, rootMeanSquaredError or r2.`,
    );
  }
}

const SCORE = 'write the probability of class 1 as "score"';

function requireEach(
  { name }: Gate,
  predictions: readonly Prediction[],
  has: (prediction: Prediction) => boolean,
  what: string,
  instead: string,
  remedy: string,
): void {
  const line = predictions.findIndex((prediction) => !has(prediction)) + 1;
  if (line === 0) return;
  throw new Failure(
    'PredictionsInvalid',
    `Gate ${name} needs ${what}, but prediction ${line} has ${instead}; ${remedy}.`,
  );
}

/** The metric as a sentence names it: averages over classes and the slice are said. */
export function nameOf({ metric, slice }: MetricGate, { isBinary, classes }: Sample): string {
  const isMacro = !isBinary && ['precision', 'recall', 'truePositiveRate', 'f1', 'balancedAccuracy'].includes(metric);
  return `${metric}${isMacro ? ` (macro average of ${classes.length} classes)` : ''}${slice === undefined ? '' : ` where ${slice}`}`;
}
