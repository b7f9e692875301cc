import type { Listed } from '../roster.ts';
import type { TensorValue } from '../tensor.ts';
import type { Selection } from './outputs.ts';
import type { Request } from './request.ts';

/** One call of the engine and the requests it answers. */
export class Run implements Listed {
  place = -1;
  readonly members: readonly Request[];
  readonly rows: number;
  readonly inputs: readonly TensorValue[];
  readonly selection: Selection;
  readonly startedAt: number;
  /** One of the runs of one thread. */
  readonly perCore: boolean;
  /** Memory the inputs were gathered in, to be given back. */
  readonly scratch: SharedArrayBuffer | undefined;
  /** Members whose caller still waits. */
  live: number;
  controller: AbortController | undefined;

  constructor(
    members: readonly Request[],
    rows: number,
    inputs: readonly TensorValue[],
    scratch: SharedArrayBuffer | undefined,
    selection: Selection,
    startedAt: number,
    perCore: boolean,
  ) {
    this.members = members;
    this.rows = rows;
    this.inputs = inputs;
    this.scratch = scratch;
    this.selection = selection;
    this.startedAt = startedAt;
    this.perCore = perCore;
    this.live = members.length;
    this.controller = undefined;
  }
}
