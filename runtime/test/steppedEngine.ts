import type { Signature, Tensor } from '@slipway/crds/contract';
import { type Engine, EngineError, type RunOptions } from '../server/engine/engine.ts';
import { type Elements, sizeOf, type TensorValue } from '../server/tensor.ts';

/** A run that a test ends. */
export interface SteppedRun {
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly signal: AbortSignal | undefined;
  readonly perCore: boolean;
  finish(): void;
  fail(error: Error): void;
}

export const float = (name: string, ...shape: number[]): Tensor => ({ name, datatype: 'FP32', shape });

/**
 * An engine for tests of who shares a run with whom: each run waits until the test ends it. Every output is its input of
 * the same place (or the first) doubled, so a row answered to the wrong request shows.
 */
export class SteppedEngine implements Engine {
  readonly backend = 'ffi';
  readonly signature: Signature;
  readonly providers = ['cpu'];
  healthy = true;
  /** Under way, oldest first. */
  readonly runs: SteppedRun[] = [];
  /** Rows of every run so far, in order. */
  readonly log: number[] = [];
  most = 0;
  perCore?: number;
  runHere?: (inputs: readonly TensorValue[], outputs: readonly string[]) => readonly TensorValue[];

  constructor(inputs = [float('x', -1, 2)], outputs = [float('y', -1, 2)]) {
    this.signature = { inputs, outputs };
  }

  run(
    inputs: readonly TensorValue[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly TensorValue[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly TensorValue[]>();
    const gone = () => this.runs.splice(this.runs.indexOf(run), 1);
    const run: SteppedRun = {
      inputs,
      outputs,
      rows: inputs[0]?.shape[0] ?? 1,
      signal: options?.signal,
      perCore: options?.perCore ?? false,
      finish: () => {
        gone();
        resolve(this.answer(inputs, outputs));
      },
      fail: (error) => {
        gone();
        reject(error);
      },
    };
    this.runs.push(run);
    this.log.push(run.rows);
    this.most = Math.max(this.most, this.runs.length);
    options?.signal?.addEventListener('abort', () => run.fail(new EngineError('Cancelled', 'The run was ended.')));
    return promise;
  }

  answer(inputs: readonly TensorValue[], outputs: readonly string[]): readonly TensorValue[] {
    return outputs.map((name) => {
      const place = this.signature.outputs.findIndex((output) => output.name === name);
      const { datatype, shape, elements } = (inputs[place] ?? inputs[0]) as TensorValue;
      return { name, datatype, shape, elements: doubled(elements, sizeOf(shape)) };
    });
  }

  async close(): Promise<void> {}
}

function doubled(elements: Elements, length: number): Elements {
  if (Array.isArray(elements)) return elements.map((text) => text + text);
  return Float32Array.from({ length }, (_, i) => 2 * Number(elements[i]));
}
