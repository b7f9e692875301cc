import type { BinnedEvidence, Summarised, Tensor } from '@slipway/crds/contract';
import type { TensorValue } from '../../tensor.ts';
import { binnedOf, binnedWords } from './bins.ts';
import { CodeColumn, TextColumn } from './categoricalColumn.ts';
import { STAGED } from './gather.ts';
import { NumericColumn } from './numericColumn.ts';
import { type Placed, StagedTensor } from './stagedTensor.ts';

/** The watched features of one tensor. An entry is what lies in its last dimension; of most tensors a row is one. */
interface Watched {
  readonly name: string;
  /** Where the tensor usually lies in what a run is given. */
  readonly position: number;
  readonly scalar: boolean;
  readonly numbers: StagedTensor | undefined;
  readonly texts: readonly Placed<TextColumn>[];
}

/** Told the distances of so many rows; they hold still until it returns. */
export type Judge = (distances: Float64Array, rows: number) => void;

/** Words that the summaries take in shared memory. */
export const distributionWords = (summaries: readonly Summarised[]): number =>
  summaries.reduce((sum, summary) => sum + wordsOf(summary), 0);

const wordsOf = (summary: Summarised): number =>
  binnedWords(summary.kind === 'numeric' ? summary.bins.edges.length + 1 : summary.categories.length + 1);

/** Counts the values of tensors in the bins of the training data. A few rows may wait; reading counts them first. */
export class Distribution {
  /** Features whose distance from the training data tells something. */
  readonly spreading: number;
  readonly #names: readonly string[];
  readonly #words: readonly Float64Array[];
  readonly #watched: readonly Watched[];
  readonly #judge: Judge;
  readonly #distances = new Float64Array(STAGED);

  /** The summaries must fit the tensors (see readBaseline). */
  constructor(summaries: readonly Summarised[], tensors: readonly Tensor[], words: Float64Array, judge: Judge) {
    let offset = 0;
    this.#words = summaries.map((summary) => {
      const begin = offset;
      offset += wordsOf(summary);
      return words.subarray(begin, offset);
    });
    this.#names = summaries.map(({ name }) => name);
    this.#judge = judge;
    this.spreading = summaries.filter((summary) => summary.kind === 'numeric' && summary.m2 > 0).length;
    this.#watched = tensors.flatMap((tensor, position) => {
      const own = summaries.flatMap((summary, i) =>
        summary.tensor === tensor.name ? [{ summary, words: this.#words[i] as Float64Array }] : [],
      );
      return own.length > 0 ? [watchedOf(tensor, position, own)] : [];
    });
  }

  /** Values that counting every entry of these tensors would read. */
  cost(tensors: readonly TensorValue[]): number {
    let cost = 0;
    for (const watched of this.#watched) {
      const tensor = find(tensors, watched);
      if (tensor) cost += entriesOf(tensor, watched) * (watched.texts.length + (watched.numbers?.columns ?? 0));
    }
    return cost;
  }

  /** Counts `count` of the rows: from `first` on, each `step`-th. */
  count(tensors: readonly TensorValue[], rows: number, first: number, step: number, count: number): void {
    for (const watched of this.#watched) {
      const tensor = find(tensors, watched);
      if (tensor === undefined) continue;
      if (watched.texts.length > 0) countTexts(watched, tensor, first, step);
      else if (entriesOf(tensor, watched) !== rows) this.#countEntries(watched, tensor, first, step);
    }
    for (let done = 0; done < count; ) {
      const taken = Math.min(count - done, STAGED - this.#waiting());
      for (const watched of this.#watched) this.#stage(watched, tensors, rows, first + done * step, step, taken);
      done += taken;
      if (this.#waiting() === STAGED) this.flush();
    }
  }

  /** Counts what waits. */
  flush(): void {
    const distances = this.#distances.fill(0);
    const rows = this.#waiting();
    let complete = true;
    for (const { numbers } of this.#watched) {
      if (numbers === undefined) continue;
      complete &&= numbers.filled === rows;
      numbers.flush(distances);
    }
    if (complete && rows > 0) this.#judge(distances, rows);
  }

  counts(): BinnedEvidence[] {
    this.flush();
    return this.#words.map((words, i) => binnedOf(this.#names[i] as string, words));
  }

  #waiting(): number {
    let most = 0;
    for (const { numbers } of this.#watched) if (numbers !== undefined && numbers.filled > most) most = numbers.filled;
    return most;
  }

  #stage(
    watched: Watched,
    tensors: readonly TensorValue[],
    rows: number,
    first: number,
    step: number,
    count: number,
  ): void {
    if (watched.numbers === undefined) return;
    const tensor = find(tensors, watched);
    if (tensor === undefined || entriesOf(tensor, watched) !== rows) return;
    watched.numbers.stage(tensor, widthOf(tensor, watched), first, step, count);
  }

  /** A tensor with several entries a row, such as a series: each is counted, none is judged. */
  #countEntries(watched: Watched, tensor: TensorValue, first: number, step: number): void {
    const { numbers } = watched;
    if (numbers === undefined) return;
    this.flush();
    const entries = entriesOf(tensor, watched);
    for (let entry = first; entry < entries; entry += step * STAGED) {
      const count = Math.min(STAGED, Math.ceil((entries - entry) / step));
      numbers.stage(tensor, widthOf(tensor, watched), entry, step, count);
      numbers.flush(this.#distances);
    }
  }
}

function countTexts(watched: Watched, tensor: TensorValue, first: number, step: number): void {
  const width = widthOf(tensor, watched);
  const texts = tensor.elements as string[];
  for (const { index, column } of watched.texts)
    if (index < width) column.count(texts, first * width + index, step * width);
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
  const staged = datatype === 'BYTES' ? undefined : new StagedTensor(datatype, numbers, codes);
  return { name, position, scalar: isScalar(shape), numbers: staged, texts };
}

/** A tensor whose only dimension is free holds one value for each row. */
export const isScalar = (shape: readonly number[]): boolean => shape.length === 1 && shape[0] === -1;

const widthOf = ({ shape }: TensorValue, { scalar }: Watched): number =>
  scalar || shape.length === 0 ? 1 : Math.max(1, shape[shape.length - 1] as number);

const entriesOf = (tensor: TensorValue, watched: Watched): number =>
  Math.floor(tensor.elements.length / widthOf(tensor, watched));

function find(tensors: readonly TensorValue[], { name, position }: Watched): TensorValue | undefined {
  const usual = tensors[position];
  return usual?.name === name ? usual : tensors.find((tensor) => tensor.name === name);
}
