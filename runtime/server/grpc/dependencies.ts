import type { ServingSettings } from '@slipway/crds/serving';
import type { Access } from '../access/access.ts';
import type { Certificate } from '../access/tls.ts';
import type { Refusals } from '../evidence/refusals.ts';
import type { ModelIdentity, ModelRepository } from '../models/servedModel.ts';
import type { BodyGate } from '../rest/bodyGate.ts';
import type { Phase } from '../rest/dependencies.ts';
import type { ReadingRules } from './messageAssembly.ts';

/** What the gRPC port is made of; the REST port takes the same things. */
export interface GrpcDependencies {
  readonly repository: ModelRepository;
  /** Undefined: everybody may ask. */
  readonly access: Access | undefined;
  /** Undefined: plain text. */
  readonly certificate: Certificate | undefined;
  readonly limits: Omit<ServingSettings['limits'], 'rate'>;
  readonly phase: () => Phase;
  /** A promise to take new traffic: serving, and every model with something to run on. */
  readonly ready: () => boolean;
  /** Whose metadata stands on answers that are about no model: that of a process which serves one. */
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
  /** Room for large bodies; pass that of the REST port, so that there is one bound for both. */
  readonly gate?: BodyGate;
}

/** What all calls of the port share. */
export interface RpcContext extends GrpcDependencies {
  readonly reading: ReadingRules;
}
