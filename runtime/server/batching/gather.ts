import { type Elements, type TensorValue, viewOf } from '../tensor.ts';
import type { Request } from './request.ts';
import type { Scratch } from './scratch.ts';

export interface Gathered {
  readonly inputs: readonly TensorValue[];
  readonly scratch: SharedArrayBuffer | undefined;
}

/** The inputs of one run of all these requests: in place where they lie side by side, else copied together. */
export function gather(members: readonly Request[], rows: number, scratch: Scratch): Gathered {
  const [first] = members;
  if (first === undefined) throw new Error('a run needs a request');
  if (members.length === 1) return { inputs: first.inputs, scratch: undefined };
  if (first.ring !== undefined && sideBySide(members))
    return { inputs: first.ring.view(first.start, rows), scratch: undefined };
  return copied(members, rows, scratch);
}

function sideBySide(members: readonly Request[]): boolean {
  const ring = members[0]?.ring;
  let next = members[0]?.start as number;
  for (const member of members) {
    if (member.ring !== ring || member.start !== next) return false;
    next += member.rows;
  }
  return true;
}

function copied(members: readonly Request[], rows: number, scratch: Scratch): Gathered {
  const models = (members[0] as Request).inputs;
  const parts = models.map((_, i) => members.map(({ inputs }) => (inputs[i] as TensorValue).elements));
  const sizes = parts.map((elements) => elements.reduce((sum, part) => sum + sizeInBytes(part), 0));
  const block = scratch.take(sizes);
  const inputs = models.map(({ name, datatype, shape: [, ...shape] }, i) => {
    const elements = parts[i] as readonly Elements[];
    if (datatype === 'BYTES')
      return { name, datatype, shape: [rows, ...shape], elements: (elements as string[][]).flat() };
    const length = elements.reduce((sum, part) => sum + part.length, 0);
    const whole = viewOf(datatype, block.memory, block.offsets[i] as number, length);
    let at = 0;
    for (const part of elements) {
      (whole as Float32Array).set(part as Float32Array, at);
      at += part.length;
    }
    return { name, datatype, shape: [rows, ...shape], elements: whole };
  });
  return { inputs, scratch: block.memory };
}

const sizeInBytes = (elements: Elements): number => (Array.isArray(elements) ? 0 : elements.byteLength);
