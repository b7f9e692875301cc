import type { Baseline, Signature, Summarised, Tensor } from '@slipway/crds/contract';
import type { Datatype, TensorValue } from '../../tensor.ts';
import { isScalar } from '../distribution/distribution.ts';
import { fromBf16, isInteger } from '../distribution/numbers.ts';
import { IdHash } from './idHash.ts';

/**
 * What the answer of a model says, as one number a row. class: its index, from the greatest of several scores, from an
 * integer output as it is, or from one probability at 0.5. number: the value itself. text: 53 bits of its hash.
 */
export type PredictionKind = 'class' | 'number' | 'text';

export interface PredictionReader {
  readonly output: string;
  readonly kind: PredictionKind;
  /** The prediction of each row, or none when the output is not among these. */
  read(outputs: readonly TensorValue[]): readonly number[];
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
    candidates.find((output) => widthOf(output) === 1 && (isInteger(output.datatype) || output.datatype === 'BYTES')) ??
    candidates.find(({ datatype }) => datatype !== 'BYTES' && !isInteger(datatype));
  if (chosen === undefined) return undefined;
  const { name: output, datatype } = chosen;
  if (datatype === 'BYTES') return { output, kind: 'text', read: read(output, (tensor) => textHashes(tensor)) };
  const numbersOf = numberReader(datatype);
  if (widthOf(chosen) !== 1) {
    return { output, kind: 'class', read: read(output, (tensor) => greatest(numbersOf(tensor), tensor.shape)) };
  }
  if (isInteger(datatype))
    return { output, kind: 'class', read: read(output, (tensor) => Array.from(numbersOf(tensor))) };
  if (isProbability(first?.tensor === output ? first : undefined, labels)) {
    const chosenClass = (probability: number) => (probability >= 0.5 ? 1 : 0);
    return { output, kind: 'class', read: read(output, (tensor) => Array.from(numbersOf(tensor), chosenClass)) };
  }
  return { output, kind: 'number', read: read(output, (tensor) => Array.from(numbersOf(tensor))) };
}

function numberReader(datatype: Datatype): (tensor: TensorValue) => ArrayLike<number> {
  if (datatype === 'FP32' || datatype === 'FP64') return ({ elements }) => elements as Float32Array;
  if (datatype === 'BF16') return ({ elements }) => Array.from(elements as Uint16Array, fromBf16);
  if (datatype !== 'FP16') return ({ elements }) => Array.from(elements as ArrayLike<number | bigint>, Number);
  return ({ elements }) => {
    const { buffer, byteOffset, length } = elements as Uint16Array<SharedArrayBuffer>;
    return new Float16Array(buffer, byteOffset, length);
  };
}

/** Entries of the last dimension, the free one not being rows; -1 when the caller's input decides. */
const widthOf = ({ shape }: Tensor): number => (isScalar(shape) ? 1 : (shape.at(-1) ?? 1));

/** One float a row is taken for a probability where there are two class names, or training saw nothing outside of 0 to 1. */
const isProbability = (summary: Summarised | undefined, labels: readonly string[] | undefined): boolean =>
  labels !== undefined ? labels.length === 2 : summary?.kind === 'numeric' && summary.min >= 0 && summary.max <= 1;

const read =
  (output: string, predictions: (tensor: TensorValue) => readonly number[]): PredictionReader['read'] =>
  (outputs) => {
    const tensor = outputs.find(({ name }) => name === output);
    return tensor ? predictions(tensor) : [];
  };

function greatest(scores: ArrayLike<number>, shape: readonly number[]): number[] {
  const width = Math.max(1, shape.at(-1) ?? 1);
  return Array.from({ length: Math.floor(scores.length / width) }, (_, row) => {
    let best = row * width;
    for (let i = best + 1; i < (row + 1) * width; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
    return best - row * width;
  });
}

/** Equal texts have equal hashes, in this and every other process: labels are hashed alike. */
const TEXT_HASH = new IdHash(() => 0.5);

export function textHash(text: string): number {
  TEXT_HASH.take(text);
  return (TEXT_HASH.high & 0x1fffff) * 2 ** 32 + TEXT_HASH.low;
}

const textHashes = ({ elements }: TensorValue): number[] => (elements as string[]).map(textHash);
