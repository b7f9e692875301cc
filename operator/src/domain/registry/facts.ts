import type { ModelVersionSpec, ModelVersionStatus, Stage } from '@slipway/crds';
import type { Observation } from '../../kube/conditions.ts';

export type Approval = NonNullable<ModelVersionSpec['approvals']>[number];
export type StageEntry = NonNullable<ModelVersionStatus['history']>[number];

/** A cause in a word (PascalCase, becomes a condition reason) and in a sentence for people. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
}

/** What decides where a version may stand. Plain data; the same facts give the same stage. */
export interface Facts {
  /** Of the ModelVersion. */
  readonly name: string;
  readonly asked: Stage;
  /** undefined: it was not looked at before. */
  readonly reached: Stage | undefined;
  readonly digest: string;
  readonly approval: ModelVersionSpec['approval'];
  readonly approvals: readonly Approval[];
  /** The conditions Verified and GatesPassed, as they are with this pass. */
  readonly verified: Observation;
  readonly gates: Observation;
  /** When retention deleted its files. */
  readonly deletedAt: string | undefined;
  /** InferenceServices, in order. */
  readonly servedBy: readonly string[];
  readonly rejectedBy: readonly string[];
}

export const GUARDED = ['Staging', 'Production'] as const satisfies readonly Stage[];
export type GuardedStage = (typeof GUARDED)[number];

/** A stage that must be earned. The others are open to every version. */
export const isGuarded = (stage: Stage | undefined): stage is GuardedStage =>
  (GUARDED as readonly (Stage | undefined)[]).includes(stage);

export const serviceNames = (names: readonly string[]): string => names.map((name) => `infs/${name}`).join(', ');
