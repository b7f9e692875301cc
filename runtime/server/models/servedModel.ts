import type { Signature } from '@slipway/crds/contract';
import type { ModelSettings } from '@slipway/crds/serving';
import type { Scheduler } from '../batching/scheduler.ts';
import type { ModelEvidence } from '../evidence/modelEvidence.ts';
import type { Observation } from '../observe/observation.ts';

export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  /** sha256:<hex> of the model directory. */
  readonly digest: string;
}

/** One version of one model, proven and ready to be asked. What protocols see of it. */
export interface ServedModel {
  readonly identity: ModelIdentity;
  /** What callers send and get: after pre- and post-processing are folded in. */
  readonly signature: Signature;
  /** Names of the classes, from labels.txt. */
  readonly labels: readonly string[] | undefined;
  readonly settings: ModelSettings;
  readonly scheduler: Scheduler;
  readonly evidence: ModelEvidence;
  /** Sampling, logs, traces, shadow. */
  readonly observation: Observation;
  /** Whether a request would find something to run on. */
  readonly healthy: boolean;
  /** Example inputs for documentation: the first golden request, as JSON tensors. */
  readonly example: readonly unknown[] | undefined;
}

export type ModelState = 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';

/** One row of the repository index. `reason` is empty unless UNAVAILABLE. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  readonly state: ModelState;
  readonly reason: string;
}

/** The models of this process. Lookups are for the hot path: no promise, no allocation. */
export interface ModelRepository {
  /** The version asked for, or the newest that is ready. Undefined: no such model or version is ready. */
  find(name: string, version?: string): ServedModel | undefined;
  /** Whether the name (and version) is known, ready or not: 503 or 404. */
  knows(name: string, version?: string): boolean;
  /** Names of ready models. */
  names(): readonly string[];
  versions(name: string): readonly string[];
  index(): readonly RepositoryEntry[];
  /** Loads (or reloads) from the folder; answers when ready, without one lost request. Throws Failure with one sentence. */
  load(name: string): Promise<void>;
  unload(name: string): Promise<void>;
  /** Whether callers may load and unload. */
  readonly controllable: boolean;
}
