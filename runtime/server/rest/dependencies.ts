import type { ServingSettings } from '@slipway/crds/serving';
import type { Access } from '../access/access.ts';
import type { Certificate } from '../access/tls.ts';
import type { Refusals } from '../evidence/refusals.ts';
import type { ModelIdentity, ModelRepository } from '../models/servedModel.ts';

import type { RegionReader } from '../protocol/parser/regionReader.ts';

import type { BodyGate } from './bodyGate.ts';

/** Starting: no model is proven yet. Draining: not ready any more, yet all that still arrives is served. */
export type Phase = 'Starting' | 'Serving' | 'Draining';

export type RestLimits = Omit<ServingSettings['limits'], 'rate'>;

export interface RestDependencies {
  readonly repository: ModelRepository;
  /** Undefined: everybody may ask. */
  readonly access: Access | undefined;
  /**
   * Whether Authorization admits a copy that another pod's shadow made for this order: such a pod has no API key. Asked
   * only where there is access to be had. Undefined: nobody is.
   */
  readonly admitsCopy?: (order: string, authorization: string) => boolean;
  /** Reads large bodies in another thread; undefined: they are read here. */
  readonly reader?: RegionReader;
  /** Where large bodies wait for their turn, shared with other ports of the process; one of its own by default. */
  readonly gate?: BodyGate;
  /** Counts what is refused before it reaches a model. */
  readonly refusals?: Pick<Refusals, 'count'>;
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
