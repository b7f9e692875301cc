import type { Signature } from '@slipway/crds/contract';
import type { Datatype } from '../../tensor.ts';
import { EngineError } from '../engine.ts';
import { type CStrings, cStrings } from './cells.ts';

/** One output as it will be fetched. */
export interface OutputPlan {
  readonly name: string;
  readonly datatype: Datatype;
  /** All dimensions but a free first one, where the shape is known before the run. */
  readonly tail: readonly number[] | undefined;
  /** Elements in `tail`. */
  readonly tailElements: number;
  /** Whether the first dimension is that of the inputs' batch. */
  readonly isBatched: boolean;
}

/** Outputs that are fetched together. */
export interface FetchPlan {
  readonly outputs: readonly OutputPlan[];
  readonly names: CStrings;
}

/** More selections of outputs than this come from a caller who makes them up. */
const KEPT = 64;

/** How to fetch each selection of outputs, in the caller's order; made once for each. */
export class FetchPlans {
  readonly #byName: ReadonlyMap<string, OutputPlan>;
  readonly #kept = new Map<string, FetchPlan>();
  readonly #dynamic = new Set<string>();
  #latest: { readonly names: readonly string[]; readonly plan: FetchPlan } | undefined;

  constructor(signature: Signature) {
    this.#byName = new Map(signature.outputs.map((output) => [output.name, planOutput(output)]));
  }

  /** Throws EngineError InvalidInput for a name that the model does not have. */
  for(names: readonly string[]): FetchPlan {
    if (this.#latest?.names === names) return this.#latest.plan;
    const key = names.join('\0');
    let plan = this.#kept.get(key);
    if (!plan) {
      // Native code writes to one cell for each output of the signature and not to one more.
      if (new Set(names).size < names.length) throw new EngineError('InvalidInput', 'an output is asked for twice');
      if (this.#kept.size >= KEPT) this.#kept.clear();
      plan = { outputs: names.map((name) => this.#find(name)), names: cStrings(names) };
      this.#kept.set(key, plan);
    }
    this.#latest = { names, plan };
    return plan;
  }

  /** From now on the shapes of these outputs are taken from each answer: the model does not keep to its signature. */
  distrust(plan: FetchPlan): void {
    for (const { name, isBatched } of plan.outputs) if (isBatched) this.#dynamic.add(name);
    this.#kept.clear();
    this.#latest = undefined;
  }

  #find(name: string): OutputPlan {
    const output = this.#byName.get(name);
    if (!output) throw new EngineError('InvalidInput', `the model has no output "${name}"`);
    return this.#dynamic.has(name) ? { ...output, tail: undefined, isBatched: false } : output;
  }
}

function planOutput({ name, datatype, shape }: Signature['outputs'][number]): OutputPlan {
  const isBatched = shape[0] === -1;
  const tail = isBatched ? shape.slice(1) : shape;
  const isKnown = datatype !== 'BYTES' && tail.every((size) => size >= 0);
  return {
    name,
    datatype,
    tail: isKnown ? tail : undefined,
    tailElements: tail.reduce((product, size) => product * size, 1),
    isBatched: isBatched && isKnown,
  };
}
