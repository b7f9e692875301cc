import type { TensorValue } from '../../tensor.ts';
import { numbersOf } from '../classification.ts';
import { floatsOf } from '../json/elements.ts';

/** How the rows of an answer name a class. */
export interface Classes {
  /** The output with a number for each class (or one, that of class 1 of two). */
  readonly scores: TensorValue;
  /** The output in which the model names the class itself. */
  readonly chosen: TensorValue | undefined;
  /** Names from labels.txt; empty where there is none. */
  readonly names: readonly string[];
  /** The class of a row; index -1 where the model names one that is none of ours. */
  choice(row: number): { readonly index: number; readonly label: string | number };
  /** Of each class; absent where the numbers are not probabilities (logits, say). */
  readonly probabilities: ((row: number) => Float64Array) | undefined;
}

/** Rounding of FP16 over a thousand classes stays below this. */
const TOLERANCE = 1e-2;

/**
 * Finds a classifier among outputs of one entry a row: an output that is probabilities (each in [0, 1], sum 1), or as wide
 * as there are names in labels.txt, or of one probability where there are two names. Undefined: these are plain values.
 */
export function classesOf(
  outputs: readonly TensorValue[],
  labels: readonly string[] | undefined,
  rows: number,
): Classes | undefined {
  const floats = outputs.filter((output) => output.shape.length <= 2 && floatsOf(output));
  for (const scores of floats) {
    const found = probabilitiesOf(scores, labels, rows);
    if (found) return describe(scores, found, true, outputs, labels);
  }
  const logits = floats.find(
    ({ shape }) => shape.length === 2 && labels !== undefined && labels.length > 1 && labels.length === shape[1],
  );
  return logits && describe(logits, rowsOf(numbersOf(logits), rows), false, outputs, labels);
}

const rowsOf = (values: Float64Array, rows: number): readonly Float64Array[] => {
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.subarray(row * width, (row + 1) * width));
};

function probabilitiesOf(
  scores: TensorValue,
  labels: readonly string[] | undefined,
  rows: number,
): readonly Float64Array[] | undefined {
  const values = numbersOf(scores);
  if (!values.every((value) => value >= 0 && value <= 1)) return undefined;
  const width = values.length / rows;
  const byRow = rowsOf(values, rows);
  if (width === 1)
    return labels?.length === 2 ? byRow.map(([p = 0]) => Float64Array.of(Math.fround(1 - p), p)) : undefined;
  const sums = byRow.map((row) => row.reduce((sum, value) => sum + value, 0));
  return width > 1 && sums.every((sum) => Math.abs(sum - 1) <= TOLERANCE) ? byRow : undefined;
}

function describe(
  scores: TensorValue,
  values: readonly Float64Array[],
  probable: boolean,
  outputs: readonly TensorValue[],
  labels: readonly string[] | undefined,
): Classes {
  const chosen = chosenIn(outputs);
  const names = labels && labels.length === values[0]?.length ? labels : [];
  const named = (index: number): string | number => names[index] ?? index;
  return {
    scores,
    chosen,
    names,
    choice(row) {
      if (!chosen) {
        const index = largest(values[row] as Float64Array);
        return { index, label: named(index) };
      }
      const own = chosen.elements[row] as string | number | bigint;
      if (typeof own === 'string') return { index: names.indexOf(own), label: own };
      const index = Number(own);
      return { index: index < (values[row]?.length ?? 0) ? index : -1, label: named(index) };
    },
    probabilities: probable ? (row) => values[row] as Float64Array : undefined,
  };
}

/** The only output with one text or whole number a row, beside the scores: the model's own decision. */
function chosenIn(outputs: readonly TensorValue[]): TensorValue | undefined {
  const decisions = outputs.filter(
    (output) => !floatsOf(output) && output.datatype !== 'BOOL' && output.elements.length === output.shape[0],
  );
  return decisions.length === 1 ? decisions[0] : undefined;
}

function largest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
