import type { Elements, TensorValue } from '../tensor.ts';
import type { Selection } from './outputs.ts';
import type { Request } from './request.ts';
import type { Run } from './run.ts';

/** V8 keeps typed arrays up to this size inside the object: a copy costs no more than a view and holds no batch alive. */
const SMALL_BYTES = 64;

/** Outputs, by place in the signature, whose first dimension is not the number of rows that went in. */
export function unscaled(selection: Selection, outputs: readonly TensorValue[], rows: number): readonly number[] {
  let found: number[] | undefined;
  for (let i = 0; i < outputs.length; i += 1) {
    if ((outputs[i] as TensorValue).shape[0] === rows) continue;
    found ??= [];
    found.push(selection.indexes[i] as number);
  }
  return found ?? NONE;
}
const NONE: readonly number[] = [];

/** `rows` of the `all` rows of each output, from `from` on. */
export const someRows = (
  outputs: readonly TensorValue[],
  all: number,
  from: number,
  rows: number,
): readonly TensorValue[] =>
  outputs.map(({ shape: [, ...shape], elements, ...rest }) => {
    const width = elements.length / all;
    return { ...rest, shape: [rows, ...shape], elements: part(elements, from * width, (from + rows) * width) };
  });

/** What each member of a run asked for of each output, in the order of the members. Every output has the run's rows. */
export class Split {
  readonly #run: Run;
  readonly #outputs: readonly TensorValue[];
  #row = 0;
  #shapesFor = -1;
  #shapes: readonly (readonly number[])[] = [];

  constructor(run: Run, outputs: readonly TensorValue[]) {
    this.#run = run;
    this.#outputs = outputs;
  }

  /** To be called once for each member, in order. */
  next(member: Request): readonly TensorValue[] {
    const row = this.#row;
    this.#row += member.rows;
    if (this.#run.members.length === 1) return this.#outputs;
    this.#reshape(member.rows);
    const indexes = member.selection === this.#run.selection ? undefined : (member.selection as Selection).indexes;
    const count = indexes === undefined ? this.#outputs.length : indexes.length;
    const answers: TensorValue[] = [];
    for (let i = 0; i < count; i += 1) {
      const place = indexes === undefined ? i : this.#run.selection.indexes.indexOf(indexes[i] as number);
      const { name, datatype, elements } = this.#outputs[place] as TensorValue;
      const width = elements.length / this.#run.rows;
      const shape = this.#shapes[place] as readonly number[];
      answers.push({ name, datatype, shape, elements: part(elements, row * width, (row + member.rows) * width) });
    }
    return answers;
  }

  #reshape(rows: number): void {
    if (this.#shapesFor === rows) return;
    this.#shapesFor = rows;
    this.#shapes = this.#outputs.map(({ shape: [, ...rest] }) => [rows, ...rest]);
  }
}

function part(elements: Elements, from: number, to: number): Elements {
  if (Array.isArray(elements)) return elements.slice(from, to);
  const small = (to - from) * elements.BYTES_PER_ELEMENT <= SMALL_BYTES;
  return small ? elements.slice(from, to) : elements.subarray(from, to);
}
