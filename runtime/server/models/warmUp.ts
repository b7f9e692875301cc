import type { Golden, Signature, Tensor } from '@slipway/crds/contract';
import type { BatchingSettings } from '@slipway/crds/serving';
import { sentenceOf } from '../../artifact/failure.ts';
import { type Elements, roomFor, sizeOf, type TensorValue } from '../tensor.ts';
import { goldenInputs, type Run } from './golden.ts';

export interface WarmUpOptions {
  readonly signature: Signature;
  readonly batchable: boolean;
  readonly batching: Pick<BatchingSettings, 'maxSize' | 'preferredSizes'>;
  readonly golden: readonly Golden[];
  readonly run: Run;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** No new size is begun after this long. */
  readonly budgetMs: number;
}

export interface WarmUp {
  /** Rows of the runs that were made. */
  readonly sizes: readonly number[];
  /** Sizes there was no time for. */
  readonly skipped: readonly number[];
  /** The very first run, and the median of those that followed, of one row. */
  readonly firstMs: number;
  readonly steadyMs: number;
  /** Why the model did not run on blank inputs; live ones may well fit it. */
  readonly complaint?: string;
}

const REPEATS = 5;

/**
 * Runs the model once for each batch size it will see, so that no caller pays for the first run of a shape: memory is
 * laid out, kernels are chosen, pages are touched. With golden inputs where there are some, else with zeros.
 */
export async function warmUp(options: WarmUpOptions): Promise<WarmUp> {
  const { signature, run, now, budgetMs } = options;
  const outputs = signature.outputs.map(({ name }) => name);
  const end = now() + budgetMs;
  const sizes = sizesOf(options);
  const done: number[] = [];
  const times: number[] = [];
  try {
    for (const rows of [...new Array<number>(REPEATS).fill(1), ...sizes]) {
      if (times.length > 1 && now() > end) break;
      const inputs = sampleInputs(options, rows);
      const begin = now();
      await run(inputs, outputs);
      if (times.length <= REPEATS) times.push(now() - begin);
      if (!done.includes(rows)) done.push(rows);
    }
  } catch (error) {
    return { ...summary(done, sizes, times), complaint: sentenceOf(error) };
  }
  return summary(done, sizes, times);
}

function summary(
  sizes: readonly number[],
  wanted: readonly number[],
  [first = 0, ...later]: readonly number[],
): WarmUp {
  return {
    sizes,
    skipped: wanted.filter((rows) => !sizes.includes(rows)),
    firstMs: first,
    steadyMs: medianOf(later) ?? first,
  };
}

export const medianOf = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** One, the powers of two, the preferred sizes and the largest, in order. */
function sizesOf({ batchable, batching: { maxSize, preferredSizes } }: WarmUpOptions): readonly number[] {
  if (!batchable) return [1];
  const powers = Array.from({ length: Math.floor(Math.log2(maxSize)) + 1 }, (_, i) => 2 ** i);
  return [...new Set([...powers, ...preferredSizes, maxSize])].filter((rows) => rows <= maxSize).sort((a, b) => a - b);
}

/** Inputs of `rows` rows for a batchable model, of one request otherwise. */
export function sampleInputs(
  { signature, golden, batchable }: Pick<WarmUpOptions, 'signature' | 'golden' | 'batchable'>,
  rows: number,
): readonly TensorValue[] {
  const [first] = golden;
  if (!first) return signature.inputs.map((input) => blank(input, rows));
  const inputs = goldenInputs(first, signature);
  return batchable ? inputs.map((input) => repeated(input, rows)) : inputs;
}

function blank({ name, datatype, shape }: Tensor, rows: number): TensorValue {
  const known = shape.map((size, i) => (size >= 0 ? size : i === 0 ? rows : 1));
  return { name, datatype, shape: known, elements: roomFor(datatype, sizeOf(known)) };
}

/** The rows of a tensor over and over until there are `rows`. */
function repeated({ name, datatype, shape, elements }: TensorValue, rows: number): TensorValue {
  const wanted = [rows, ...shape.slice(1)];
  const room: Elements = roomFor(datatype, sizeOf(wanted));
  const from = elements as ArrayLike<unknown>;
  for (let i = 0; i < room.length; i++) (room as unknown[])[i] = from[i % from.length];
  return { name, datatype, shape: wanted, elements: room };
}
