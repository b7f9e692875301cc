import type { ShadowOrder } from '@slipway/crds/contract';
import { type Elements, sizeOf, type TensorValue } from '../../tensor.ts';
import { floatsOf, isFloat } from '../floats.ts';

/** How answers are held against each other. `classes`: how many the model has a name for. */
export interface Rules extends Pick<ShadowOrder, 'tolerance' | 'k'> {
  readonly compare: ShadowOrder['compare'];
  readonly classes: number | undefined;
}

/** Whether two stretches of numbers of equal length say the same. */
type Agreement = (live: ArrayLike<number>, candidate: ArrayLike<number>, from: number, to: number) => boolean;

/** Why two answers can't be compared at all, or undefined where each output has its like. */
export function misfit(live: readonly TensorValue[], candidate: readonly TensorValue[]): string | undefined {
  for (const { name, datatype, shape } of live) {
    const other = candidate.find((tensor) => tensor.name === name);
    if (!other) return `there is no output ${name}`;
    if (other.datatype !== datatype) return `output ${name} is ${other.datatype}, not ${datatype}`;
    if (other.shape.join() !== shape.join()) return `output ${name} has shape [${other.shape}], not [${shape}]`;
  }
  return undefined;
}

/**
 * Compares two answers row by row. Gives for each row the name of the first output in which it disagrees, or undefined
 * where it agrees in all. Numbers that are not floats, and texts, must be equal. Requires `misfit` to be undefined.
 */
export function disagreements(
  live: readonly TensorValue[],
  candidate: readonly TensorValue[],
  rows: number,
  rules: Rules,
): readonly (string | undefined)[] {
  const found = new Array<string | undefined>(rows).fill(undefined);
  for (const tensor of live) {
    const other = candidate.find(({ name }) => name === tensor.name) as TensorValue;
    const agrees = rowAgreement(tensor, other, rows, rules);
    for (let row = 0; row < rows; row++) if (found[row] === undefined && !agrees(row)) found[row] = tensor.name;
  }
  return found;
}

function rowAgreement(live: TensorValue, candidate: TensorValue, rows: number, rules: Rules): (row: number) => boolean {
  const size = sizeOf(live.shape) / rows;
  if (!isFloat(live.datatype)) return (row) => same(live.elements, candidate.elements, row * size, (row + 1) * size);
  const [a, b] = [floatsOf(live), floatsOf(candidate)];
  const width = groupWidth(live.shape, size);
  const agrees = agreementFor(live.name, a, size, width, rules);
  return (row) => {
    for (let from = row * size; from < (row + 1) * size; from += width) {
      if (!agrees(a, b, from, from + width)) return false;
    }
    return true;
  };
}

/** The last dimension where it lies within a row, or else single elements. */
function groupWidth(shape: readonly number[], size: number): number {
  const last = shape.at(-1) ?? 1;
  return last > 0 && size % last === 0 ? last : 1;
}

function agreementFor(name: string, live: ArrayLike<number>, size: number, width: number, rules: Rules): Agreement {
  const byDefault = looksLikeClasses(name, live, size, width, rules.classes) ? 'argmax' : 'tolerance';
  const compare = width > 1 ? (rules.compare ?? byDefault) : 'tolerance'; // one number has no best among others
  if (compare === 'argmax') return sameBest;
  return compare === 'topK' ? bestAmong(rules.k) : within(rules.tolerance);
}

const CLASS_NAMES = /prob|score|logit|class|softmax/i;
const ROUNDING = 1e-2;

/** One score for each class: as many as there are labels, or so by its name, or shares that sum to one. */
function looksLikeClasses(
  name: string,
  live: ArrayLike<number>,
  size: number,
  width: number,
  classes: number | undefined,
): boolean {
  if (width < 2 || size !== width) return false;
  if (classes === width || CLASS_NAMES.test(name)) return true;
  let sum = 0;
  for (let i = 0; i < width; i++) {
    const share = live[i] ?? Number.NaN;
    if (!(share >= 0 && share <= 1)) return false;
    sum += share;
  }
  return Math.abs(sum - 1) <= ROUNDING;
}

function same(a: Elements, b: Elements, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Index of the first largest number; -1 where one is not a number, for then nothing is the largest. */
function bestOf(numbers: ArrayLike<number>, from: number, to: number): number {
  let best = from;
  for (let i = from; i < to; i++) {
    const value = numbers[i] as number;
    if (Number.isNaN(value)) return -1;
    if (value > (numbers[best] as number)) best = i;
  }
  return best;
}

const sameBest: Agreement = (live, candidate, from, to) => bestOf(live, from, to) === bestOf(candidate, from, to);

/** The live best is one of the candidate's k best. */
function bestAmong(k: number): Agreement {
  return (live, candidate, from, to) => {
    const best = bestOf(live, from, to);
    if (best < 0 || bestOf(candidate, from, to) < 0) return sameBest(live, candidate, from, to);
    let better = 0;
    for (let i = from; i < to; i++) if ((candidate[i] as number) > (candidate[best] as number)) better++;
    return better < k;
  };
}

/** |a - b| <= tolerance·(1 + |live|); what is not finite must be the same. */
function within(tolerance: number): Agreement {
  return (live, candidate, from, to) => {
    for (let i = from; i < to; i++) {
      const [a, b] = [live[i] as number, candidate[i] as number];
      const near = Number.isFinite(a) && Math.abs(a - b) <= tolerance * (1 + Math.abs(a));
      if (!near && !Object.is(a, b)) return false;
    }
    return true;
  };
}
