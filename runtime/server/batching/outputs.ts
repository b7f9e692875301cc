import type { Tensor } from '@slipway/crds/contract';
import { EngineError } from '../engine/engine.ts';

/** A choice of outputs, in the order of whoever chose. The same choice is the same object. */
export interface Selection {
  readonly names: readonly string[];
  /** Their places in the signature. */
  readonly indexes: readonly number[];
}

/** Callers choose the order, so there are more choices than anyone should keep. */
const KEPT = 256;

/** Turns lists of output names into selections, and several selections into one that holds them all. */
export class Selections {
  readonly #all: readonly string[];
  readonly #kept = new Map<string, Selection>();
  #lastNames: readonly string[] | undefined;
  #last: Selection | undefined;

  constructor(outputs: readonly Tensor[]) {
    this.#all = outputs.map(({ name }) => name);
  }

  /** Throws EngineError InvalidInput for a name the model does not have. */
  of(names: readonly string[]): Selection {
    if (names === this.#lastNames && this.#last !== undefined) return this.#last;
    const key = JSON.stringify(names);
    const selection = this.#kept.get(key) ?? this.#make(names);
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(key, selection);
    this.#lastNames = names;
    this.#last = selection;
    return selection;
  }

  /** Every output that one of these asks for, once, in the order of the signature; what they all ask for if that is equal. */
  union(members: readonly { readonly selection: Selection | undefined }[]): Selection {
    const first = members[0]?.selection as Selection;
    if (members.every(({ selection }) => selection === first)) return first;
    const wanted = new Set(members.flatMap(({ selection }) => (selection as Selection).indexes));
    return this.of(this.#all.filter((_, index) => wanted.has(index)));
  }

  #make(names: readonly string[]): Selection {
    const indexes = names.map((name) => {
      const index = this.#all.indexOf(name);
      if (index < 0)
        throw new EngineError('InvalidInput', `There is no output "${name}"; ask for ${this.#all.join(', ')}.`);
      return index;
    });
    return { names: [...names], indexes };
  }
}
