import type { ServingSettings } from '@slipway/crds/serving';
import type { Access } from './access/access.ts';
import type { Certificate } from './access/tls.ts';
import type { Refusals } from './evidence/refusals.ts';
import type { ModelIdentity, ModelRepository } from './models/servedModel.ts';
import type { BodyGate } from './rest/bodyGate.ts';
import type { Sessions } from './sessions/sessions.ts';

/** Starting: no model is proven yet. Draining: not ready any more, yet all that still arrives is served. */
export type Phase = 'Starting' | 'Serving' | 'Draining';

/** The rate is a matter of access. */
export type PortLimits = Omit<ServingSettings['limits'], 'rate'>;

/** What a port that callers ask is made of, whatever it speaks. */
export interface PortDependencies {
  readonly repository: ModelRepository;
  /** Undefined: everybody may ask. */
  readonly access: Access | undefined;
  /** Undefined: plain text. */
  readonly certificate: Certificate | undefined;
  readonly limits: PortLimits;
  readonly phase: () => Phase;
  /** A promise to take new traffic: serving, and every model with something to run on. */
  readonly ready: () => boolean;
  /** Whose name stands on answers that are about no model: that of a process which serves one. */
  readonly identity: ModelIdentity | undefined;
  /** Version of the server itself, for its metadata. */
  readonly version: string;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told of every failure of ours: `cause` is what the answer does not say. */
  readonly onFailure: (sentence: string, cause: unknown) => void;
  /** Counts what is refused before it reaches a model. */
  readonly refusals?: Pick<Refusals, 'count'>;
  /** Where large bodies wait for their turn: one for all ports of the process; one of its own by default. */
  readonly gate?: BodyGate;
  /** Knows whose requests are passed on to the other version; undefined: nobody's are. */
  readonly sessions?: Sessions;
}
