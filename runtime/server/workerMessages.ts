import type { Signature, TerminationReason } from '@slipway/crds/contract';
import type { TensorValue } from './engine.ts';
import type { ModelFiles } from './modelDirectory.ts';

/** workerData of an engine thread. */
export interface WorkerModel {
  readonly files: ModelFiles;
  /** Intra-op threads of its session. */
  readonly threads: number;
}

export type ToWorker =
  | { readonly kind: 'run'; readonly inputs: readonly TensorValue[]; readonly outputs: readonly string[] }
  | { readonly kind: 'close' };

/** A worker says `loaded` or `refused` once, then one `answer` or `failed` for each `run`, in order. */
export type FromWorker =
  | { readonly kind: 'loaded'; readonly signature: Signature }
  | { readonly kind: 'refused'; readonly reason: TerminationReason; readonly message: string }
  | { readonly kind: 'answer'; readonly outputs: readonly TensorValue[] }
  | { readonly kind: 'failed'; readonly message: string };

/** Memory that can move between threads instead of being copied; strings cannot. */
export const movable = (tensors: readonly TensorValue[]): ArrayBuffer[] =>
  tensors.flatMap(({ elements }) => (ArrayBuffer.isView(elements) ? [elements.buffer] : []));
