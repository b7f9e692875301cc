import type { Signature } from '@slipway/crds/contract';
import type { Engine, RunOptions } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { chainSignature } from './chain.ts';
import type { Stage } from './stage.ts';

/**
 * Several stages as one engine: what training did to its data, serving does to a request, in the same process and the
 * same batch. Each stage runs off the main thread if its engine does; only what the asked outputs need is run.
 */
export class PipelineEngine implements Engine {
  readonly backend: Engine['backend'];
  readonly providers: readonly string[];
  readonly signature: Signature;
  readonly #stages: readonly Stage[];

  /** Stages in the order they run. `model` is the one of them whose backend and providers count. Throws Failure ModelInvalid. */
  constructor(stages: readonly Stage[], model: Engine) {
    this.#stages = stages;
    this.backend = model.backend;
    this.providers = model.providers;
    this.signature = chainSignature(stages);
  }

  get healthy(): boolean {
    return this.#stages.every(({ healthy }) => healthy);
  }

  check(inputs: readonly TensorValue[]): void {
    for (const stage of this.#stages) stage.check?.(inputs);
  }

  async run(
    inputs: readonly TensorValue[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly TensorValue[]> {
    const known = new Map(inputs.map((tensor) => [tensor.name, tensor]));
    for (const { stage, wanted } of planFor(this.#stages, outputs)) {
      const taken = stage.signature.inputs.map(({ name }) => known.get(name) as TensorValue);
      for (const tensor of await stage.run(taken, wanted, options)) known.set(tensor.name, tensor);
    }
    return outputs.map((name) => known.get(name) as TensorValue);
  }

  async close(): Promise<void> {
    await Promise.all(this.#stages.map((stage) => stage.close()));
  }
}

/** Which stages must run for these outputs, and what each must answer. */
function planFor(stages: readonly Stage[], outputs: readonly string[]) {
  const missing = new Set(outputs);
  const plan: { stage: Stage; wanted: readonly string[] }[] = [];
  for (const stage of stages.toReversed()) {
    const wanted = stage.signature.outputs.map(({ name }) => name).filter((name) => missing.delete(name));
    if (wanted.length === 0) continue;
    for (const { name } of stage.signature.inputs) missing.add(name);
    plan.unshift({ stage, wanted });
  }
  return plan;
}
