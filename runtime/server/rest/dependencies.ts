import type { ServingSettings } from '@slipway/crds/serving';
import type { Access } from '../access/access.ts';
import type { Certificate } from '../access/tls.ts';
import type { ModelIdentity, ModelRepository } from '../models/servedModel.ts';

/** Starting: no model is proven yet. Draining: not ready any more, yet all that still arrives is served. */
export type Phase = 'Starting' | 'Serving' | 'Draining';

export type RestLimits = Omit<ServingSettings['limits'], 'rate'>;

export interface RestDependencies {
  readonly repository: ModelRepository;
  /** Undefined: everybody may ask. */
  readonly access: Access | undefined;
  /** Undefined: plain HTTP. */
  readonly certificate: Certificate | undefined;
  readonly limits: RestLimits;
  readonly phase: () => Phase;
  /** A promise to take new traffic: serving, and every model with something to run on. */
  readonly ready: () => boolean;
  /** Whose headers stand on answers that are about no model: that of a process which serves one. */
  readonly identity: ModelIdentity | undefined;
  /** Version of the server itself, for its metadata. */
  readonly version: string;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told of every failure of ours: `cause` is what the answer does not say. */
  readonly onFailure: (sentence: string, cause: unknown) => void;
}
