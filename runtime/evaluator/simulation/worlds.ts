import type { Prediction } from '@slipway/crds/contract';
import { normalQuantile } from '../intervals/normal.ts';
import { METRICS, type Metric } from '../metrics.ts';
import type { RandomBelow } from '../random.ts';
import { sampleOf } from '../sample.ts';

const UNIT = 1 << 30;
/** Strictly between 0 and 1. */
export const uniform = (random: RandomBelow): number => (random(UNIT) + 0.5) / UNIT;
export const gaussian = (random: RandomBelow): number => normalQuantile(uniform(random));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** A binary classifier of a one-dimensional world: how sharply labels follow x, and how the model reads x. */
export interface World {
  /** Log odds of the label at x: intercept and slope. */
  readonly intercept: number;
  readonly slope: number;
  /** Log odds of the model's score: the label's, times this; 1 is calibrated. */
  readonly confidence: number;
  /** What the model adds to x by mistake: its deviation. Two models of the same x differ by theirs. */
  readonly noise: number;
}

export const CALIBRATED: World = { intercept: -0.5, slope: 1.5, confidence: 1, noise: 0 };
export const SHARP: World = { intercept: 0, slope: 4, confidence: 1, noise: 0 };
export const OVERCONFIDENT: World = { ...CALIBRATED, confidence: 2.2 };
export const RARE: World = { intercept: -3, slope: 1.5, confidence: 1, noise: 0 };

function example(world: World, id: number, x: number, error: number, label: 0 | 1): Prediction {
  const logOdds = world.intercept + world.slope * (x + world.noise * error);
  const score = sigmoid(world.confidence * logOdds);
  return { id, label, prediction: score >= 0.5 ? 1 : 0, score };
}

export function draw(world: World, size: number, random: RandomBelow): Prediction[] {
  return Array.from({ length: size }, (_, id) => {
    const x = gaussian(random);
    const label = uniform(random) < sigmoid(world.intercept + world.slope * x) ? 1 : 0;
    return example(world, id, x, gaussian(random), label);
  });
}

/** Two models of the same examples. */
export function drawPair(
  ours: World,
  theirs: World,
  size: number,
  random: RandomBelow,
): readonly [Prediction[], Prediction[]] {
  const pairs = Array.from({ length: size }, (_, id) => {
    const x = gaussian(random);
    const label = uniform(random) < sigmoid(ours.intercept + ours.slope * x) ? 1 : 0;
    return [example(ours, id, x, gaussian(random), label), example(theirs, id, x, gaussian(random), label)] as const;
  });
  return [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
}

const GRID = 600;

/** The metric of the whole population: a grid over x and the model's mistake, each point with both labels, weighted. */
export function truthOf(metric: Metric, world: World): number {
  const steps = Array.from({ length: GRID }, (_, i) => normalQuantile((i + 0.5) / GRID));
  const errors = world.noise === 0 ? [0] : steps.filter((_, i) => i % 4 === 1);
  const points = steps.flatMap((x) => errors.map((error) => ({ x, error })));
  const chance = (x: number) => sigmoid(world.intercept + world.slope * x);
  const population = points.flatMap(({ x, error }, id) => [
    example(world, id, x, error, 1),
    example(world, id, x, error, 0),
  ]);
  const weights = points.flatMap(({ x }) => [chance(x), 1 - chance(x)]);
  return METRICS[metric].of(sampleOf(population), weights);
}

/** Labels are x and noise of deviation 1; predictions are x. Squared or absolute errors as of a normal. */
export function drawMeasurements(size: number, random: RandomBelow): Prediction[] {
  return Array.from({ length: size }, (_, id) => {
    const prediction = 2 * gaussian(random);
    return { id, prediction, label: prediction + gaussian(random) };
  });
}
export const MEASUREMENT_TRUTHS = {
  meanAbsoluteError: Math.sqrt(2 / Math.PI),
  rootMeanSquaredError: 1,
  r2: 0.8,
} as const;
