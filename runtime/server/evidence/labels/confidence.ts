import type { NumericElements, TensorValue } from '../../tensor.ts';
import { numberReader, type ReadNumber } from '../distribution/numbers.ts';
import { type FloatTensor, lastOf } from './prediction.ts';

/**
 * Probabilities lie between 0 and 1 and those of a row add up to 1, both within this: half precision rounds, and trees that
 * are added up answer 1.0000007 and -1e-7. What is farther off holds other scores.
 */
const TOLERANCE = 1e-2;

/**
 * From so many rows on an output is believed to hold probabilities while no more than one row in so many holds something
 * else: zeros, say, where no tree had a vote.
 */
export const ROWS_PER_STRAY = 20;

/** What a row says that is finite and no probabilities; NaN is what one says that is not finite. */
const STRAY = -1;

/** From 0 to 1, or STRAY, or NaN. */
type RowReader = (tensor: TensorValue, row: number, predicted: number) => number;

/** Reads how sure the model was of what it predicted for a row. */
export class ConfidenceReader {
  /** Name of the output that is read. */
  readonly output: string;
  readonly #read: RowReader;
  #rows = 0;
  #strays = 0;
  #disproved = false;

  constructor(output: string, read: RowReader) {
    this.output = output;
    this.#read = read;
  }

  /**
   * One logit in a few lies between 0 and 1: rows that look like probabilities tell nothing where the others do not. Once
   * disproved, for good: sums of confidences that came, went and came back would be counted twice by who adds up their growth.
   */
  get holdsProbabilities(): boolean {
    return this.#rows >= ROWS_PER_STRAY && !this.#disproved;
  }

  /** From 0 to 1; NaN where the row holds no probabilities. A row that is not finite tells neither for nor against the others. */
  confidence(tensor: TensorValue, row: number, predicted: number): number {
    if (this.#disproved) return Number.NaN;
    const confidence = this.#read(tensor, row, predicted);
    if (Number.isNaN(confidence)) return confidence;
    this.#rows += 1;
    if (confidence === STRAY) this.#strays += 1;
    this.#disproved = this.#rows >= ROWS_PER_STRAY && this.#strays * ROWS_PER_STRAY > this.#rows;
    return confidence === STRAY ? Number.NaN : confidence;
  }
}

/** Of an output with the probability of class 1 of two. */
export function ofOneClass({ name, datatype }: FloatTensor): ConfidenceReader {
  const read = numberReader(datatype);
  return new ConfidenceReader(name, ({ elements }, row) => {
    const probability = read(elements as NumericElements, row);
    return isProbability(probability) ? clamped(Math.max(probability, 1 - probability)) : strayOr(probability);
  });
}

/** Of an output with one for each class. `columnOf`: that of what was predicted; undefined for the greatest. */
export function ofEachClass(
  { name, datatype }: FloatTensor,
  columnOf: (predicted: number) => number | undefined,
): ConfidenceReader {
  const read = numberReader(datatype);
  return new ConfidenceReader(name, ({ elements, shape }, row, predicted) => {
    const values = elements as NumericElements;
    const width = lastOf(shape);
    const greatest = width > 1 ? greatestOf(values, row * width, width, read) : STRAY;
    if (!(greatest >= 0)) return greatest;
    const column = columnOf(predicted);
    return clamped(column === undefined || column >= width ? greatest : read(values, row * width + column));
  });
}

/** The greatest of probabilities that add up to 1; else STRAY, or NaN. Without a branch for each value: a thousand are many. */
function greatestOf(values: NumericElements, begin: number, width: number, read: ReadNumber): number {
  let least = read(values, begin);
  let most = least;
  let sum = least;
  for (let at = begin + 1; at < begin + width; at++) {
    const value = read(values, at);
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (Math.abs(sum - 1) <= TOLERANCE && isProbability(least) && isProbability(most)) return most;
  return strayOr(sum);
}

const isProbability = (value: number): boolean => value >= -TOLERANCE && value <= 1 + TOLERANCE;

const strayOr = (value: number): number => (Number.isFinite(value) ? STRAY : Number.NaN);

const clamped = (probability: number): number => Math.min(1, Math.max(0, probability));
