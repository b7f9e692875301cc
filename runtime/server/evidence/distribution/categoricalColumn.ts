import type { Summarised } from '@slipway/crds/contract';
import type { Datatype } from '../../tensor.ts';
import { asHeld } from './numbers.ts';

export type CategoricalSummary = Extract<Summarised, { kind: 'categorical' }>;

/** Codes of a category lie close together in most models: a table of this span at most finds their bins. */
const WIDEST_TABLE = 4096;

/** Where the words of a categorical feature lie: a bin for each category, `other`, and the faults. */
interface Places {
  readonly other: number;
  readonly missing: number;
  readonly nonFinite: number;
  readonly unseen: number;
  /** Whether the baseline lists every category of the training data, so that any other is a new one. */
  readonly complete: boolean;
}

const placesOf = ({ categories, other }: CategoricalSummary): Places => {
  const missing = categories.length + 1;
  return { other: categories.length, missing, nonFinite: missing + 1, unseen: missing + 3, complete: other === 0 };
};

const add = (words: Float64Array, at: number): void => {
  words[at] = (words[at] as number) + 1;
};

function countOther(words: Float64Array, { other, unseen, complete }: Places): void {
  add(words, other);
  if (complete) add(words, unseen);
}

/** Counts the categories of a numeric tensor. */
export class CodeColumn {
  readonly #places: Places;
  readonly #bins: ReadonlyMap<number, number>;
  /** Bin by code − #least; −1 for a code that is not listed. Empty where the codes lie too far apart. */
  readonly #table: Int16Array;
  readonly #least: number;
  readonly #words: Float64Array;

  constructor(summary: CategoricalSummary, datatype: Datatype, words: Float64Array) {
    const codes = summary.categories.map(({ value }) => asHeld(datatype, Number(value)));
    this.#places = placesOf(summary);
    this.#bins = new Map(codes.map((code, bin) => [code, bin]));
    this.#least = codes.reduce((least, code) => Math.min(least, code), codes[0] ?? 0);
    const span = codes.reduce((greatest, code) => Math.max(greatest, code), this.#least) - this.#least + 1;
    const dense = codes.every(Number.isSafeInteger) && span <= WIDEST_TABLE;
    this.#table = new Int16Array(dense ? span : 0).fill(-1);
    if (dense) for (const [code, bin] of this.#bins) this.#table[code - this.#least] = bin;
    this.#words = words;
  }

  /** Counts `count` of the values, from `from` on. */
  count(values: Float64Array, from: number, count: number): void {
    const [words, places, table, least] = [this.#words, this.#places, this.#table, this.#least];
    for (let i = from; i < from + count; i++) {
      const value = values[i] as number;
      // A fraction or a code outside of the table reads undefined there, as an unlisted one in a gap reads −1.
      const bin = table.length > 0 ? table[value - least] : this.#bins.get(value);
      if (bin !== undefined && bin >= 0) add(words, bin);
      else if (Number.isFinite(value)) countOther(words, places);
      else add(words, Number.isNaN(value) ? places.missing : places.nonFinite);
    }
  }
}

/** Counts the categories of a tensor of texts. */
export class TextColumn {
  readonly #places: Places;
  readonly #bins: ReadonlyMap<string, number>;
  readonly #words: Float64Array;

  constructor(summary: CategoricalSummary, words: Float64Array) {
    this.#places = placesOf(summary);
    this.#bins = new Map(summary.categories.map(({ value }, bin) => [String(value), bin]));
    this.#words = words;
  }

  /** Counts texts `from`, `from + step`, …. */
  count(texts: readonly string[], from: number, step: number): void {
    const [words, places] = [this.#words, this.#places];
    for (let at = from; at < texts.length; at += step) {
      const text = texts[at] as string;
      const bin = this.#bins.get(text);
      if (bin !== undefined) add(words, bin);
      else if (text === '') add(words, places.missing);
      else countOther(words, places);
    }
  }
}
