import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { ApiError, isExpired, isNotFound } from './errors.ts';
import type { Log, Meter } from './observe.ts';
import type { Resource } from './resource.ts';
import { listAll } from './restClient.ts';
import type { Transport } from './transport.ts';
import { type Scope, SILENCE_MS, type WatchEvent, WatchSilence, watch } from './watch.ts';
import type { KubeObject, Stored } from './wire.ts';

/** What a reflector tells: the whole truth after a list, then one change after another. None of these may throw. */
export interface Sink<T extends KubeObject> {
  replace(objects: readonly Stored<T>[]): void;
  upsert(object: Stored<T>): void;
  remove(object: Stored<T>): void;
}

/** What every part of the machinery is built with. */
export interface Surroundings {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly meter: Meter;
  readonly log: Log;
}
export interface ReflectorOptions<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly scope: Scope;
  readonly sink: Sink<T>;
  readonly silenceMs?: number;
}

// Half a dozen watches a replica: seeing soon that the server is back is worth a call every five seconds.
const BACKOFF = { baseMs: 100, maxMs: 5_000 };
// As client-go: five to ten minutes, at random, so that watches do not all end together.
const WATCH_SECONDS = 300;

/** Keeps a sink equal to one scope of the server: lists, watches from there, and never gives up. */
export class Reflector<T extends KubeObject> {
  readonly #around: Surroundings;
  readonly #options: ReflectorOptions<T>;
  readonly #log: Log;
  #version: string | undefined;
  #failures = 0;

  constructor(around: Surroundings, options: ReflectorOptions<T>) {
    this.#around = around;
    this.#options = options;
    this.#log = around.log.child({ resource: options.resource.plural, ...options.scope });
  }

  /** Returns when `signal` aborts, and only then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failure = await this.#follow(signal).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (signal.aborted) return;
      await this.#around.clock.sleep(this.#note(failure), signal);
    }
  }

  /** One list if needed, then one watch until it ends. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { transport, clock, random } = this.#around;
    const { resource, scope, silenceMs = SILENCE_MS } = this.#options;
    this.#version ??= await this.#list(signal);
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + random()));
    const options = { ...scope, resourceVersion: this.#version, signal, timeoutSeconds, silenceMs, clock };
    for await (const event of watch(transport, resource, options)) this.#take(event);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { resource, scope, sink } = this.#options;
    const { objects, resourceVersion } = await listAll(this.#around.transport, resource, scope.namespace, {
      ...(scope.labelSelector === undefined ? {} : { labelSelector: scope.labelSelector }),
      ...(scope.fieldSelector === undefined ? {} : { fieldSelector: scope.fieldSelector }),
      signal,
    });
    sink.replace(objects);
    this.#heard();
    return resourceVersion;
  }

  #take(event: WatchEvent<T>): void {
    const { sink } = this.#options;
    if (event.type === 'DELETED') sink.remove(event.object);
    else if (event.type !== 'BOOKMARK') sink.upsert(event.object);
    this.#version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
    this.#failures = 0;
    this.#heard();
  }

  #heard(): void {
    this.#around.meter.heard(this.#options.resource.plural, this.#around.clock.now());
  }

  /** Watched again at once: the silence was the wait, and a gap here would be a delay in what a quiet kind tells. */
  #noteSilence({ message }: WatchSilence): number {
    this.#around.meter.watchRestart(this.#options.resource.plural, 'Silent');
    this.#log.debug({ message }, 'watching again, to see whether the server is there');
    return 0;
  }

  /** Milliseconds until the next try. A clean end counts as a failure too, until something is heard: no busy loop. */
  #note(failure: unknown): number {
    if (failure instanceof WatchSilence) return this.#noteSilence(failure);
    this.#failures += 1;
    const wait = backoffMs(this.#failures, BACKOFF, this.#around.random());
    const why = failure === undefined ? 'Ended' : failure instanceof ApiError ? failure.reason : 'Error';
    this.#around.meter.watchRestart(this.#options.resource.plural, why);
    if (failure === undefined) return wait;
    if (isExpired(failure)) this.#version = undefined;
    const fields = { why, failures: this.#failures, message: (failure as Error).message };
    if (isExpired(failure)) this.#log.info(fields, 'the watch is too old: listing again');
    else if (isNotFound(failure)) this.#log.warn(fields, 'the API server does not serve this kind: install its CRD');
    else this.#log.warn(fields, 'the watch broke: trying again');
    return Math.max(wait, (failure instanceof ApiError && failure.retryAfterMs) || 0);
  }
}
