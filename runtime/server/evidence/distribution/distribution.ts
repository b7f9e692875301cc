import type { BinnedEvidence, Summarised, Tensor } from '@slipway/crds/contract';
import type { NumericDatatype, NumericElements, TensorValue } from '../../tensor.ts';
import { binnedOf, binnedWords } from './bins.ts';
import { CodeColumn, TextColumn } from './categoricalColumn.ts';
import { type Gather, gatherOf } from './numbers.ts';
import { NumericColumn } from './numericColumn.ts';

/** One feature: entry `index` of the last dimension of its tensor. */
interface Placed<Column> {
  readonly index: number;
  readonly column: Column;
}

/** The watched features of one tensor. */
interface Watched {
  readonly name: string;
  /** Where the tensor usually lies in what a run is given. */
  readonly position: number;
  /** A tensor of nothing but rows: [-1]. */
  readonly scalar: boolean;
  readonly gather: Gather | undefined;
  readonly numbers: readonly Placed<NumericColumn>[];
  readonly codes: readonly Placed<CodeColumn>[];
  readonly texts: readonly Placed<TextColumn>[];
  readonly columns: number;
}

/** Words that each summary takes in shared memory, in order. */
export const distributionWords = (summaries: readonly Summarised[]): number =>
  summaries.reduce((sum, summary) => sum + wordsOf(summary), 0);

const wordsOf = (summary: Summarised): number =>
  binnedWords(summary.kind === 'numeric' ? summary.bins.edges.length + 1 : summary.categories.length + 1);

/** Counts the values of tensors in the bins of the training data, column by column. Allocates only to grow. */
export class Distribution {
  /** Features whose distance from the training data tells something. */
  readonly spreading: number;
  readonly #watched: readonly Watched[];
  readonly #names: readonly string[];
  readonly #words: readonly Float64Array[];
  #values = new Float64Array(64);
  #elsewhere = new Float64Array(64);

  /** The summaries must fit the tensors (see readBaseline). */
  constructor(summaries: readonly Summarised[], tensors: readonly Tensor[], words: Float64Array) {
    let offset = 0;
    this.#words = summaries.map((summary) => {
      const begin = offset;
      offset += wordsOf(summary);
      return words.subarray(begin, offset);
    });
    this.#names = summaries.map(({ name }) => name);
    this.#watched = tensors.flatMap((tensor, position) => {
      const own = summaries.flatMap((summary, i) =>
        summary.tensor === tensor.name ? [{ summary, words: this.#words[i] as Float64Array }] : [],
      );
      return own.length > 0 ? [watchedOf(tensor, position, own)] : [];
    });
    this.spreading = this.#watched.reduce(
      (sum, { numbers }) => sum + numbers.filter(({ column }) => column.spreads).length,
      0,
    );
  }

  /** Values that counting every row of these tensors would read. */
  cost(tensors: readonly TensorValue[]): number {
    let cost = 0;
    for (const watched of this.#watched) {
      const tensor = find(tensors, watched);
      if (tensor) cost += (tensor.elements.length / widthOf(tensor, watched)) * watched.columns;
    }
    return cost;
  }

  /**
   * Counts the rows `from`, `from + step`, … and adds to `distances`, one entry a counted row. Answers whether these
   * can be judged: every watched tensor was there with one entry for each of `rows`.
   */
  count(tensors: readonly TensorValue[], rows: number, from: number, step: number, distances: Float64Array): boolean {
    let judged = true;
    for (const watched of this.#watched) {
      const tensor = find(tensors, watched);
      if (tensor === undefined) {
        judged = false;
        continue;
      }
      const width = widthOf(tensor, watched);
      const entries = Math.floor(tensor.elements.length / width);
      const count = entries > from ? Math.floor((entries - 1 - from) / step) + 1 : 0;
      const aligned = entries === rows;
      judged &&= aligned || watched.numbers.length === 0;
      if (this.#values.length < count) this.#grow(count);
      const into = aligned ? distances : this.#elsewhere;
      if (watched.gather === undefined) countTexts(watched, tensor, from * width, step * width, width, count);
      else this.#countNumbers(watched, watched.gather, tensor, from * width, step * width, width, count, into);
    }
    return judged;
  }

  #countNumbers(
    { numbers, codes }: Watched,
    gather: Gather,
    tensor: TensorValue,
    first: number,
    stride: number,
    width: number,
    count: number,
    distances: Float64Array,
  ): void {
    const elements = tensor.elements as NumericElements;
    const values = this.#values;
    for (const { index, column } of numbers) {
      if (index >= width) continue;
      gather(elements, first + index, stride, count, values);
      column.count(values, count, distances);
    }
    for (const { index, column } of codes) {
      if (index >= width) continue;
      gather(elements, first + index, stride, count, values);
      column.count(values, count);
    }
  }

  #grow(count: number): void {
    this.#values = new Float64Array(count);
    this.#elsewhere = new Float64Array(count);
  }

  counts(): BinnedEvidence[] {
    return this.#words.map((words, i) => binnedOf(this.#names[i] as string, words));
  }
}

function countTexts(
  { texts }: Watched,
  { elements }: TensorValue,
  first: number,
  stride: number,
  width: number,
  count: number,
): void {
  for (const { index, column } of texts)
    if (index < width) column.count(elements as string[], first + index, stride, count);
}

function watchedOf(
  { name, datatype, shape }: Tensor,
  position: number,
  own: readonly { summary: Summarised; words: Float64Array }[],
): Watched {
  const numbers: Placed<NumericColumn>[] = [];
  const codes: Placed<CodeColumn>[] = [];
  const texts: Placed<TextColumn>[] = [];
  for (const { summary, words } of own) {
    const { index } = summary;
    if (summary.kind === 'numeric') numbers.push({ index, column: new NumericColumn(summary, datatype, words) });
    else if (datatype === 'BYTES') texts.push({ index, column: new TextColumn(summary, words) });
    else codes.push({ index, column: new CodeColumn(summary, datatype, words) });
  }
  const gather = datatype === 'BYTES' ? undefined : gatherOf(datatype satisfies NumericDatatype);
  return { name, position, scalar: isScalar(shape), gather, numbers, codes, texts, columns: own.length };
}

/** A tensor whose only dimension is free holds one value for each row. */
export const isScalar = (shape: readonly number[]): boolean => shape.length === 1 && shape[0] === -1;

const widthOf = ({ shape }: TensorValue, { scalar }: Watched): number =>
  scalar || shape.length === 0 ? 1 : Math.max(1, shape[shape.length - 1] as number);

function find(tensors: readonly TensorValue[], { name, position }: Watched): TensorValue | undefined {
  const usual = tensors[position];
  return usual?.name === name ? usual : tensors.find((tensor) => tensor.name === name);
}
