import type { Signature, TerminationReason } from '@slipway/crds/contract';
import type { TensorValue } from '../../tensor.ts';
import type { SessionPlan } from '../sessionPlan.ts';

/** Argument that tells a program to be a process that runs one model. */
export const CHILD_MARKER = '--slipway-engine-child';

/** How a child opens its model. */
export interface ChildModel {
  readonly path: string;
  readonly plan: SessionPlan;
  readonly device: number;
  readonly cache: { readonly directory: string; readonly key: string } | undefined;
}

export type ToChild =
  | { readonly kind: 'open'; readonly model: ChildModel }
  | { readonly kind: 'run'; readonly inputs: readonly TensorValue[]; readonly outputs: readonly string[] }
  | { readonly kind: 'close' };

/** A child says `opened` or `refused` once, then one `answer` or `failed` for each `run`, in order. */
export type FromChild =
  | { readonly kind: 'opened'; readonly signature: Signature; readonly providers: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: TerminationReason; readonly message: string }
  | { readonly kind: 'log'; readonly sentence: string }
  | { readonly kind: 'answer'; readonly outputs: readonly TensorValue[] }
  | { readonly kind: 'failed'; readonly message: string };
