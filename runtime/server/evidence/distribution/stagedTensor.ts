import type { NumericDatatype, NumericElements, TensorValue } from '../../tensor.ts';
import type { CodeColumn } from './categoricalColumn.ts';
import { type Gather, gatherOf, STAGED } from './gather.ts';
import type { NumericColumn } from './numericColumn.ts';

/** A feature: entry `index` of the last dimension. */
export interface Placed<Column> {
  readonly index: number;
  readonly column: Column;
}

/** Gathers the watched values of a numeric tensor as they come and counts them column by column. */
export class StagedTensor {
  readonly #gather: Gather;
  readonly #indices: Int32Array;
  readonly #numbers: readonly NumericColumn[];
  readonly #codes: readonly CodeColumn[];
  /** STAGED values for each column: numbers, then codes. */
  readonly #values: Float64Array;
  #filled = 0;

  constructor(
    datatype: NumericDatatype,
    numbers: readonly Placed<NumericColumn>[],
    codes: readonly Placed<CodeColumn>[],
  ) {
    this.#gather = gatherOf(datatype);
    this.#indices = Int32Array.from([...numbers, ...codes], ({ index }) => index);
    this.#numbers = numbers.map(({ column }) => column);
    this.#codes = codes.map(({ column }) => column);
    this.#values = new Float64Array(this.#indices.length * STAGED);
  }

  get columns(): number {
    return this.#indices.length;
  }

  /** Entries that wait to be counted. */
  get filled(): number {
    return this.#filled;
  }

  /** Takes `count` entries, from `first` on each `step`-th; STAGED − filled at most. */
  stage({ elements }: TensorValue, width: number, first: number, step: number, count: number): void {
    const into = this.#values;
    this.#gather(elements as NumericElements, this.#indices, width, first, step, count, into, this.#filled);
    this.#filled += count;
  }

  /** Counts what waits; the squared standard scores of entry i are added to distances[i]. */
  flush(distances: Float64Array): void {
    let from = 0;
    for (const column of this.#numbers) {
      column.count(this.#values, from, this.#filled, distances);
      from += STAGED;
    }
    for (const column of this.#codes) {
      column.count(this.#values, from, this.#filled);
      from += STAGED;
    }
    this.#filled = 0;
  }
}
