import type { TensorValue } from '../tensor.ts';
import type { Selection } from './outputs.ts';

/**
 * Batches whose smallest request is run again alone, for each output: so many in which requests differ, and so many in
 * which all are the same. Eight, since two rows that a model sorts lie right already every other time.
 */
export const PROOFS = 8;
/**
 * Share of the largest value by which an answer may change with its company. Wide, because a model quantised on the fly
 * rounds by what else is in the batch, and that is its nature; a row of somebody else, or a mean over the batch, is far out.
 */
const SHARE = 0.1;
const LEAST = 1e-3;

/**
 * Whether rows are independent: an output may have a row for each that went in and yet mix or reorder them (a softmax over
 * the wrong axis, a sort), which no shape tells. So the first batches are checked against a run of one of their requests
 * alone, before anybody is answered. Batches of equal requests are counted apart: a sum over rows of zeros proves nothing
 * for the rows of others.
 */
export class RowProof {
  readonly #outputs: number;
  /** Proofs still wanted, by output: of batches of equal requests, then of batches in which requests differ. */
  readonly #left: Uint8Array;

  constructor(outputs: number, proofs: number) {
    this.#outputs = outputs;
    this.#left = new Uint8Array(2 * outputs).fill(proofs);
  }

  /** `members`: the inputs of each request of the batch. */
  wanted(selection: Selection, members: Members): boolean {
    if (!this.#any(selection, 0) && !this.#any(selection, this.#outputs)) return false;
    return this.#any(selection, this.#kindOf(members));
  }

  /** Places of the outputs in which the two answers to one request differ. Counts the others as proven once more. */
  differing(
    { indexes }: Selection,
    members: Members,
    batched: readonly TensorValue[],
    alone: readonly TensorValue[],
  ): readonly number[] {
    const kind = this.#kindOf(members);
    return indexes.filter((index, i) => {
      if (!agree(batched[i] as TensorValue, alone[i] as TensorValue)) return true;
      this.#left[kind + index] = Math.max(0, (this.#left[kind + index] as number) - 1);
      return false;
    });
  }

  #any({ indexes }: Selection, kind: number): boolean {
    for (const index of indexes) if ((this.#left[kind + index] as number) > 0) return true;
    return false;
  }

  #kindOf(members: Members): number {
    const first = members[0]?.inputs ?? [];
    for (const { inputs } of members)
      for (let i = 0; i < inputs.length; i += 1)
        if (!sameElements(inputs[i] as TensorValue, first[i] as TensorValue)) return this.#outputs;
    return 0;
  }
}

type Members = readonly { readonly inputs: readonly TensorValue[] }[];

/** Elements of a tensor that are looked at: while only equal requests come, each batch is looked at, however wide. */
const LOOKS = 16;

function sameElements(a: TensorValue, b: TensorValue): boolean {
  const [left, right] = [a.elements, b.elements];
  if (left.length !== right.length) return false;
  const stride = Math.ceil(left.length / LOOKS) || 1;
  for (let i = 0; i < left.length; i += stride) if (left[i] !== right[i]) return false;
  return true;
}

function agree(batched: TensorValue, alone: TensorValue): boolean {
  const [a, b] = [batched.elements, alone.elements];
  if (a.length !== b.length) return false;
  if (Array.isArray(a) || Array.isArray(b)) return a.every((text: unknown, i: number) => text === b[i]);
  // Their elements are bits, of which neighbours may be far apart in value and the other way round.
  if (batched.datatype === 'FP16' || batched.datatype === 'BF16') return true;
  let largest = 0;
  let furthest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Object.is(x, y)) continue;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return false;
    largest = Math.max(largest, Math.abs(y));
    furthest = Math.max(furthest, Math.abs(x - y));
  }
  return furthest <= largest * SHARE + LEAST;
}
