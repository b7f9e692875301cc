import type { ServingSettings } from '@slipway/crds/serving';
import { Failure } from '../../../artifact/failure.ts';
import type { Exchange, UnservedExchange } from '../../evidence/modelEvidence.ts';
import type { ModelIdentity } from '../../models/servedModel.ts';
import type { TensorValue } from '../../tensor.ts';
import { type Features, type Location, locate, rowsOf, valueAt } from '../features.ts';
import { jsonTensor } from '../jsonTensor.ts';
import { hashOf } from '../keyedHash.ts';

type Signature = Parameters<typeof locate>[1];

/** As pino has it: facts first, then the sentence. */
export interface Log {
  info(facts: object, sentence: string): void;
  error(facts: object, sentence: string): void;
}

export interface RequestLogDependencies {
  readonly log: Log;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly hashKey: Uint8Array;
}

export interface LoggedModel {
  readonly identity: ModelIdentity;
  readonly signature: Signature;
  readonly features: Features;
}

/** A model that fails on each request must not turn the log into the slowest part of the server. */
const ERROR_EVERY_MS = 1000;
const MOST_ROWS_HASHED = 16;
const MOST_ELEMENTS = 1024;

/**
 * One line for each sampled request, and for errors of the server at most one a second. Without `payload` no line holds
 * a value that a caller sent or got, but for its own request id.
 */
export class RequestLog {
  readonly #settings: ServingSettings['logging'];
  readonly #model: LoggedModel;
  readonly #deps: RequestLogDependencies;
  readonly #hashed: readonly Location[];
  #nextErrorAt = Number.NEGATIVE_INFINITY;
  #errorsUnsaid = 0;

  /** Throws Failure ConfigurationInvalid: a feature to hash that the model does not have. */
  constructor(settings: ServingSettings['logging'], model: LoggedModel, deps: RequestLogDependencies) {
    this.#settings = settings;
    this.#model = model;
    this.#deps = deps;
    this.#hashed = settings.hash.map(
      (name) => locate(name, model.signature, model.features) ?? unknownFeature(name, model),
    );
  }

  get share(): number {
    return this.#settings.share;
  }

  /** Whether lines say anything about the input tensors. */
  get readsInputs(): boolean {
    return this.#settings.payload || this.#hashed.length > 0;
  }

  /** A sampled request that the model has answered. */
  answered(exchange: Exchange): void {
    const { inputs, outcome, answered } = exchange;
    this.#deps.log.info(
      {
        ...this.#facts(exchange),
        batchRows: outcome.batchRows,
        cached: outcome.cached,
        queueMs: answered.queueMs ?? outcome.queueMs,
        computeMs: answered.computeMs ?? outcome.computeMs,
        ...(this.#hashed.length > 0 && { hashed: this.#hashes(inputs) }),
        ...(this.#settings.payload && { inputs: shown(inputs), outputs: shown(outcome.outputs) }),
      },
      'answered',
    );
  }

  /** Any request without an answer of the model; `sampled`: it gets a line whatever went wrong. */
  failed(request: UnservedExchange, sampled: boolean): void {
    const { status, sentence } = request;
    if (status >= 500 && status !== SHED && this.#mayCry()) {
      const unsaid = this.#errorsUnsaid > 0 ? { notLogged: this.#errorsUnsaid } : {};
      this.#errorsUnsaid = 0;
      this.#deps.log.error({ ...this.#facts(request), status, sentence, ...unsaid }, 'request failed');
    } else if (sampled) this.#deps.log.info({ ...this.#facts(request), status }, 'not answered');
    else if (status >= 500 && status !== SHED) this.#errorsUnsaid++;
  }

  #mayCry(): boolean {
    const now = this.#deps.now();
    if (now < this.#nextErrorAt) return false;
    this.#nextErrorAt = now + ERROR_EVERY_MS;
    return true;
  }

  #facts({ id, protocol, answered }: Exchange | UnservedExchange): object {
    const { name, version, digest } = this.#model.identity;
    const { outcome, latencyMs, rows } = answered;
    return { request: id, model: name, version, digest, protocol, outcome, latencyMs, rows };
  }

  #hashes(inputs: readonly TensorValue[]): Readonly<Record<string, readonly string[]>> {
    const rows = rowsOf(this.#model.signature, inputs);
    const hashesOf = (location: Location) =>
      Array.from({ length: Math.min(rows, MOST_ROWS_HASHED) }, (_, row) =>
        hashOf(this.#deps.hashKey, valueAt(location, inputs, row, rows)),
      );
    return Object.fromEntries(this.#hashed.map((location) => [location.name, hashesOf(location)]));
  }
}

/** Overload is counted, not logged: it is what the limits are for. */
const SHED = 503;

const shown = (tensors: readonly TensorValue[]) => tensors.map((tensor) => jsonTensor(tensor, MOST_ELEMENTS));

function unknownFeature(name: string, { identity }: LoggedModel): never {
  const sentence = `logging.hash names "${name}", which is no feature, column or input of model ${identity.name}.`;
  throw new Failure('ConfigurationInvalid', sentence);
}
