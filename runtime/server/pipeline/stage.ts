import type { Signature } from '@slipway/crds/contract';
import type { RunOptions } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';

/** One link of a chain between the caller's tensors and the answers: an engine, or the tokenizer. */
export interface Stage {
  /** The file it came from, for sentences about it. */
  readonly file: string;
  readonly signature: Signature;
  readonly healthy: boolean;
  run(
    inputs: readonly TensorValue[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly TensorValue[]>;
  /** See Engine. */
  check?(inputs: readonly TensorValue[]): void;
  close(): Promise<void>;
}
