import type { Signature } from '@slipway/crds/contract';
import { type ConfidenceReader, ofEachClass, ofOneClass } from './confidence.ts';
import { isFloatTensor, type PredictionReader, textHash, widthOf } from './prediction.ts';

/**
 * Chooses the output with the probability of the predicted class: that of the prediction itself, or, where that is a
 * number or a text of each class, the one beside it that has a score for each. Undefined where there is none, or several.
 */
export function confidenceReader(
  { outputs }: Signature,
  labels: readonly string[] | undefined,
  prediction: PredictionReader | undefined,
): ConfidenceReader | undefined {
  if (prediction === undefined || prediction.kind === 'number') return undefined;
  const own = outputs.find(({ name }) => name === prediction.output);
  if (own !== undefined && isFloatTensor(own))
    return widthOf(own) === 1 ? ofOneClass(own) : ofEachClass(own, () => undefined);
  const [scores, another] = outputs
    .filter(isFloatTensor)
    .filter((output) => output.shape.length === 2 && fits(widthOf(output), labels));
  if (scores === undefined || another !== undefined) return undefined;
  return ofEachClass(scores, columnsOf(labels, prediction.kind));
}

/** -1: the caller's input decides. */
const fits = (width: number, labels: readonly string[] | undefined): boolean =>
  width === -1 || (labels === undefined ? width > 1 : width === labels.length);

/**
 * A model may name a class that is not the likeliest: one that calls fraud at a tenth. By the greatest probability, a sound
 * one would look wrong; its own needs the names, for a number alone may count from 1.
 */
function columnsOf(
  labels: readonly string[] | undefined,
  kind: 'class' | 'text',
): (predicted: number) => number | undefined {
  if (labels === undefined) return () => undefined;
  if (kind === 'class') return (predicted) => (predicted >= 0 && predicted < labels.length ? predicted : undefined);
  const columns = new Map(labels.map((name, column) => [textHash(name), column]));
  return (predicted) => columns.get(predicted);
}
