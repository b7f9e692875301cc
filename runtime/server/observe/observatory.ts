import type { Baseline, ShadowEvidence, ShadowOrder, Signature } from '@slipway/crds/contract';
import type { ServingSettings } from '@slipway/crds/serving';
import type { Exchange, UnservedExchange } from '../evidence/modelEvidence.ts';
import type { ModelIdentity } from '../models/servedModel.ts';
import { badRequest } from '../requestError.ts';
import { copyOf, type TensorValue } from '../tensor.ts';
import { locate } from './features.ts';
import { bytesIn } from './floats.ts';
import { hashKey } from './keyedHash.ts';
import { type Log, RequestLog } from './logging/requestLog.ts';
import { type Observation, WANTED } from './observation.ts';
import type { OutboxCounts } from './outbox.ts';
import { checkSampleFile } from './samples/sampleSink.ts';
import { ShadowGate } from './shadow/gate.ts';
import { WatcherThread } from './thread/watcherThread.ts';
import { formatTraceparent, parseTraceparent } from './tracing/traceparent.ts';
import { Tracer } from './tracing/tracer.ts';

export type ObservationSettings = Pick<ServingSettings, 'shadow' | 'tracing' | 'logging' | 'samples'>;

export interface ObservatoryDependencies {
  readonly log: Log;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** Version of the server, and what else tells this process from others: attributes of its traces. */
  readonly version: string;
  readonly resource: Readonly<Record<string, string>>;
  /** The module that the watcher thread starts from: thread/entry.ts, or what it was bundled to. */
  readonly threadEntry: URL;
}

export interface ObservedModel {
  readonly identity: ModelIdentity;
  readonly signature: Signature;
  readonly features: Baseline['features'];
  readonly labels: readonly string[] | undefined;
}

/** What watchers have let go, of all models. */
export interface ObservationCounts {
  readonly traces: OutboxCounts;
  readonly samples: OutboxCounts;
}

export interface ModelObservation extends Observation {
  /**
   * The shadow order of an admin poll, or that there is none. `authorization`: what copies carry (see shadowPass).
   * Throws RequestError 400: a target that can't be asked, a segment that the model does not have.
   */
  orderShadow(order: ShadowOrder | null, authorization?: string): void;
  /** Of the last order; a tenth of a second old. Undefined: there was none. */
  shadowEvidence(): ShadowEvidence | undefined;
}

const NONE: OutboxCounts = { sent: 0, dropped: 0, waiting: 0 };

/** All watchers of a process. Throws Failure ConfigurationInvalid: settings that can't take effect. */
export class Observatory {
  readonly settings: ObservationSettings;
  readonly deps: ObservatoryDependencies;
  readonly hashKey: Uint8Array;
  readonly tracer: Tracer | undefined;
  readonly thread: WatcherThread;
  #samplesDropped = 0;

  constructor(settings: ObservationSettings, deps: ObservatoryDependencies) {
    this.settings = settings;
    this.deps = deps;
    this.hashKey = hashKey(settings.logging.hashKeyFile);
    if (settings.samples) checkSampleFile(settings.samples);
    this.tracer = settings.tracing && new Tracer(settings.tracing, deps);
    const { threadEntry: entry, log, now } = deps;
    this.thread = new WatcherThread(
      { ...settings, samples: settings.samples, hashKey: this.hashKey },
      { entry, log, now },
    );
  }

  /** The watchers of one version of one model. Throws Failure ConfigurationInvalid: a feature that it does not have. */
  observe(model: ObservedModel): ModelObservation {
    return new Watchers(this, model);
  }

  /** Whether a sample fits on its way to the thread; counts those that don't. */
  takeSample(bytes: number): boolean {
    const taken = this.thread.sampleRoom.take(bytes);
    if (!taken) this.#samplesDropped++;
    return taken;
  }

  get counts(): ObservationCounts {
    const { sent, dropped, waiting } = this.thread.samples;
    return {
      traces: this.tracer?.counts ?? NONE,
      samples: { sent, dropped: dropped + this.#samplesDropped, waiting: waiting + this.thread.sampleRoom.items },
    };
  }

  /** Flushes traces and samples; some seconds at most. */
  async close(): Promise<void> {
    await Promise.all([this.tracer?.close(), this.thread.close()]);
  }
}

class Watchers implements ModelObservation {
  readonly #observatory: Observatory;
  readonly #model: ObservedModel;
  readonly #log: RequestLog;
  readonly #gate: ShadowGate;
  readonly #key: number;
  readonly #sampleShare: number;
  /** What a request that is logged, or traced, needs besides. */
  readonly #logBits: number;
  /** Watchers that the settings switch on; the shadow comes and goes with its orders. */
  readonly #always: boolean;
  #watching: boolean;

  constructor(observatory: Observatory, model: ObservedModel) {
    const { settings, deps, thread, hashKey } = observatory;
    const { identity, signature, features, labels } = model;
    this.#observatory = observatory;
    this.#model = model;
    this.#log = new RequestLog(settings.logging, model, { log: deps.log, now: deps.now, hashKey });
    const { key, room } = thread.watch({
      identity,
      shadowed: { name: identity.name, signature, features, classes: labels?.length },
    });
    this.#key = key;
    this.#gate = new ShadowGate(room, thread.shadowRoom, deps.now);
    this.#sampleShare = settings.samples?.share ?? 0;
    this.#logBits = WANTED.log | (this.#log.readsInputs ? WANTED.inputs : 0);
    this.#always = settings.tracing !== undefined || settings.logging.share > 0 || this.#sampleShare > 0;
    this.#watching = this.#always;
  }

  wants(traceparent: string | undefined, shadow: boolean): number {
    if (!this.#watching || (!this.#always && !shadow && this.#gate.skips())) return 0;
    return this.#wantedOf(traceparent, shadow);
  }

  /** One number decides for all: a request that is sampled by the smaller share is sampled by the larger one too. */
  #wantedOf(traceparent: string | undefined, shadow: boolean): number {
    const { tracer, deps } = this.#observatory;
    const chance = deps.random();
    let wanted = tracer?.wants(traceparent, chance) ? WANTED.trace : 0;
    if (chance < this.#log.share) wanted |= this.#logBits;
    if (chance < this.#sampleShare) wanted |= WANTED.sample | WANTED.inputs;
    if (!shadow && this.#gate.wants(chance)) wanted |= WANTED.shadow | WANTED.inputs;
    return wanted;
  }

  take(exchange: Exchange): void {
    const { wanted } = exchange;
    const { tracer } = this.#observatory;
    const { identity } = this.#model;
    const context = wanted & WANTED.trace && tracer ? tracer.record(identity, exchange) : undefined;
    if (wanted & (WANTED.shadow | WANTED.sample)) this.#send(exchange, context && formatTraceparent(context));
    if (wanted & WANTED.log) this.#log.answered(exchange);
  }

  failed(exchange: UnservedExchange): void {
    const { wanted } = exchange;
    if (wanted & WANTED.trace) this.#observatory.tracer?.record(this.#model.identity, exchange);
    if (wanted & WANTED.log || exchange.status >= 500) this.#log.failed(exchange, (wanted & WANTED.log) !== 0);
  }

  #send({ wanted, id, traceparent, startedAt, inputs, outcome }: Exchange, context: string | undefined): void {
    const bytes = sizeOfAll(inputs) + sizeOfAll(outcome.outputs);
    const shadow = (wanted & WANTED.shadow) !== 0 && this.#gate.take(bytes);
    const sample = (wanted & WANTED.sample) !== 0 && this.#observatory.takeSample(bytes);
    if (!shadow && !sample) return;
    this.#observatory.thread.send({
      key: this.#key,
      shadow,
      sample,
      id,
      traceparent: context ?? unrecorded(traceparent),
      startedAt,
      inputs,
      outputs: outcome.outputs.map(copyOf),
      bytes,
    });
  }

  orderShadow(order: ShadowOrder | null, authorization?: string): void {
    if (order) this.#check(order);
    this.#gate.follow(order);
    this.#watching = this.#always || order !== null;
    this.#observatory.thread.order(this.#key, order, authorization);
  }

  shadowEvidence(): ShadowEvidence | undefined {
    return this.#gate.evidence(this.#observatory.thread.evidenceOf(this.#key));
  }

  async close(): Promise<void> {
    this.#watching = false;
    this.#gate.follow(null);
    this.#observatory.thread.forget(this.#key);
  }

  #check({ target, segment }: ShadowOrder): void {
    const { protocol } = new URL(target);
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw badRequest(`Copies go to http://host:port or https://host:port, not to ${protocol}//.`);
    }
    if (segment === undefined) return;
    const { signature, features } = this.#model;
    if (locate(segment, signature, features)?.entry !== undefined) return;
    throw badRequest(`"${segment}" is no feature of the model, and no input of one value, to count by.`);
  }
}

const sizeOfAll = (tensors: readonly TensorValue[]): number =>
  tensors.reduce((total, tensor) => total + bytesIn(tensor), 0);

/** A copy of a request whose caller does not record it is not recorded either: its trace would have no beginning. */
function unrecorded(traceparent: string | undefined): string | undefined {
  const parent = parseTraceparent(traceparent);
  return parent && formatTraceparent({ ...parent, sampled: false });
}
