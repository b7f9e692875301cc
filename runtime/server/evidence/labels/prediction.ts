import type { Baseline, Signature, Summarised, Tensor } from '@slipway/crds/contract';
import type { Datatype, NumericDatatype, NumericElements, TensorValue } from '../../tensor.ts';
import { isScalar } from '../distribution/distribution.ts';
import { isInteger, numberReader } from '../distribution/numbers.ts';
import { IdHash } from './idHash.ts';

/**
 * What the answer of a model says, as one number a row. class: its index, from the greatest of several scores, from an
 * integer output as it is, or from one probability at 0.5. number: the value itself. text: 53 bits of its hash.
 */
export type PredictionKind = 'class' | 'number' | 'text';

export interface PredictionReader {
  /** Name of the output that is read. */
  readonly output: string;
  readonly kind: PredictionKind;
  /** Values of a row lie next to each other. */
  rows(tensor: TensorValue): number;
  predicted(tensor: TensorValue, row: number): number;
}

/**
 * Chooses the output that late labels are about: that of the baseline's first prediction; else the first that holds
 * one integer or text a row; else the first of floats. Undefined where none holds one prediction a row.
 */
export function predictionReader(
  { outputs }: Signature,
  labels: readonly string[] | undefined,
  baseline: Baseline | undefined,
): PredictionReader | undefined {
  const first = baseline?.predictions[0];
  const candidates = outputs.filter(({ shape }) => shape.length <= 2);
  const chosen =
    candidates.find(({ name }) => name === first?.tensor) ??
    candidates.find((output) => widthOf(output) === 1 && !isFloat(output.datatype)) ??
    candidates.find(({ datatype }) => isFloat(datatype));
  return chosen && readerOf(chosen, first?.tensor === chosen.name ? first : undefined, labels);
}

function readerOf(
  tensor: Tensor,
  summary: Summarised | undefined,
  labels: readonly string[] | undefined,
): PredictionReader {
  const { name: output, datatype } = tensor;
  const rows = ({ elements }: TensorValue) => elements.length;
  if (datatype === 'BYTES') {
    return { output, kind: 'text', rows, predicted: ({ elements }, row) => textHash(elements[row] as string) };
  }
  const read = numberReader(datatype);
  const numberAt = ({ elements }: TensorValue, at: number) => read(elements as NumericElements, at);
  if (widthOf(tensor) !== 1) {
    return {
      output,
      kind: 'class',
      rows: ({ elements, shape }) => Math.floor(elements.length / lastOf(shape)),
      predicted: (scores, row) => greatest(scores, row, numberAt),
    };
  }
  if (isInteger(datatype)) return { output, kind: 'class', rows, predicted: numberAt };
  if (!isProbability(summary, labels)) return { output, kind: 'number', rows, predicted: numberAt };
  return { output, kind: 'class', rows, predicted: (value, row) => (numberAt(value, row) >= 0.5 ? 1 : 0) };
}

const isFloat = (datatype: Datatype): boolean => datatype !== 'BYTES' && !isInteger(datatype);

export type FloatTensor = Tensor & { readonly datatype: NumericDatatype };
export const isFloatTensor = (tensor: Tensor): tensor is FloatTensor => isFloat(tensor.datatype);

/** Entries of a row. */
export const lastOf = (shape: readonly number[]): number => Math.max(1, shape[shape.length - 1] ?? 1);

/** Entries of the last dimension, the free one not being rows; -1 when the caller's input decides. */
export const widthOf = ({ shape }: Tensor): number => (isScalar(shape) ? 1 : (shape.at(-1) ?? 1));

/** One float a row is taken for a probability where there are two class names, or training saw nothing outside of 0 to 1. */
const isProbability = (summary: Summarised | undefined, labels: readonly string[] | undefined): boolean =>
  labels !== undefined ? labels.length === 2 : summary?.kind === 'numeric' && summary.min >= 0 && summary.max <= 1;

function greatest(tensor: TensorValue, row: number, numberAt: (tensor: TensorValue, at: number) => number): number {
  const width = lastOf(tensor.shape);
  const begin = row * width;
  let best = 0;
  let most = numberAt(tensor, begin);
  for (let i = 1; i < width; i++) {
    const score = numberAt(tensor, begin + i);
    if (score > most) {
      best = i;
      most = score;
    }
  }
  return best;
}

/** Equal texts have equal hashes: labels are hashed alike. */
const TEXT_HASH = new IdHash(() => 0.5);

export function textHash(text: string): number {
  TEXT_HASH.take(text);
  return (TEXT_HASH.high & 0x1fffff) * 2 ** 32 + TEXT_HASH.low;
}
