import type { Client } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { ControllerSpec, Grant, Reconciler, Source } from './contracts.ts';
import { ControllerRunner } from './controllerRunner.ts';
import { events, Recorder } from './events.ts';
import { grantsOf, scoped } from './grants.ts';
import type { Change, Informer } from './informer.ts';
import { Election, type ElectionOptions, leases } from './lease.ts';
import type { Surroundings } from './reflector.ts';
import { SharedInformers, SourceStores } from './sharedInformers.ts';
import type { KubeObject } from './wire.ts';

/** What the manager itself does besides its controllers: one Lease in the operator's namespace, Events anywhere. */
export const managerGrants: readonly Grant[] = [
  { resource: leases, verbs: ['get', 'list', 'watch', 'create', 'patch'] },
  { resource: events, verbs: ['create', 'patch'] },
];

export interface ManagerOptions extends Omit<Surroundings, 'clock' | 'random'> {
  readonly client: Client;
  readonly controllers: readonly ControllerSpec[];
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  /** Names this replica in Events. */
  readonly instance: string;
  /** undefined: this is the only replica. */
  readonly election: Omit<ElectionOptions, 'client'> | undefined;
  readonly clock?: Clock;
  readonly random?: () => number;
}

interface Controller {
  readonly spec: ControllerSpec;
  readonly runner: ControllerRunner;
  readonly stores: SourceStores;
  readonly recorder: Recorder;
  readonly informers: readonly Informer<KubeObject>[];
}

/** Passes that end by themselves within this time are left to: they are mid-write. */
const GRACE_MS = 500;
/** A pass that ignores its signal for so long is given up; the lease is then left to run out. */
const ABORT_MS = 5_000;
/** A leader with warm caches is worth this wait. A kind that never comes (its CRD is missing) must not stop the others. */
const SYNC_MS = 10_000;

/** Starts caches, elects, runs the controllers, and takes it all down again in order. */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #around: Surroundings;
  readonly #informers: SharedInformers;
  readonly #controllers: readonly Controller[];
  readonly #election: Election | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#around = { ...options, clock: options.clock ?? systemClock, random: options.random ?? Math.random };
    this.#informers = new SharedInformers(this.#around, options.namespaces);
    this.#controllers = options.controllers.map((spec) => this.#prepare(spec));
    const client = scoped(options.client, managerGrants, 'the manager');
    this.#election = options.election && new Election(this.#around, { ...options.election, client });
  }

  /** Caches are filled: a standby is ready too, so that it can take over at once. */
  ready(): boolean {
    return this.#informers.hasSynced();
  }

  /** Runs until `signal` aborts, then drains and releases the lease. Rejects with LeaseLostError when the lease is lost. */
  async run(signal: AbortSignal): Promise<void> {
    const life = new AbortController();
    const caches = this.#informers.run(life.signal);
    try {
      const late = AbortSignal.any([signal, life.signal]);
      await Promise.race([this.#informers.synced(), this.#around.clock.sleep(SYNC_MS, late)]);
      if (!signal.aborted) await this.#election?.acquire(signal);
      if (!signal.aborted) await this.#lead(signal);
      if (this.#election?.holds()) await this.#election.release();
    } finally {
      life.abort();
      await caches;
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const reconcilers = this.#controllers.map((controller) => this.#build(controller));
    const renewal = new AbortController();
    const held = this.#election?.hold(renewal.signal) ?? aborted(renewal.signal);
    const working = this.#controllers.map((controller, i) => work(controller, reconcilers[i] as Reconciler, signal));
    const lost = await Promise.race([aborted(signal), held]).catch((error: unknown) => error);
    // The lease is renewed until the last pass is over: nobody else may write before.
    const drained = await this.#drain(working);
    renewal.abort();
    await Promise.allSettled(reconcilers.map((reconciler) => reconciler.stop?.()));
    await this.#flush();
    if (lost !== undefined) throw lost;
    await held;
    if (!drained) throw new Error('passes did not end in time: the lease is left to run out');
  }

  async #drain(working: readonly Promise<void>[]): Promise<boolean> {
    const { clock } = this.#around;
    const done = Promise.allSettled(working).then(() => true);
    const within = (ms: number) =>
      Promise.race([done, clock.sleep(ms, new AbortController().signal).then(() => false)]);
    for (const { runner } of this.#controllers) runner.close();
    if (await within(GRACE_MS)) return true;
    for (const { runner } of this.#controllers) runner.abort();
    return within(ABORT_MS);
  }

  /** Events are told after the fact: they may take as long as a short call, not hold up the hand-over. */
  async #flush(): Promise<void> {
    const told = Promise.all(this.#controllers.map(({ recorder }) => recorder.flush()));
    await Promise.race([told, this.#around.clock.sleep(GRACE_MS, new AbortController().signal)]);
  }

  #prepare(spec: ControllerSpec): Controller {
    const { clock, random, meter } = this.#around;
    const { client, instance } = this.#options;
    const log = this.#around.log.child({ controller: spec.name });
    const { name, workers, longestWaitMs } = spec;
    const conduct = {
      ...(workers === undefined ? {} : { workers }),
      ...(longestWaitMs === undefined ? {} : { longestWaitMs }),
    };
    const runner = new ControllerRunner({ name, clock, random, meter, log, ...conduct });
    const stores = new SourceStores(spec.name);
    const informers = spec.sources.map((source) => {
      const informer = this.#informers.of(spec.name, source);
      stores.add(source.resource, informer.store);
      informer.subscribe((change) => enqueueAll(runner, source, change));
      return informer;
    });
    const told = scoped(client, managerGrants, 'the event recorder');
    const controller = `slipway.dev/${spec.name}`;
    const recorder = new Recorder({ client: told, clock, log, meter, controller, instance });
    return { spec, runner, stores, recorder, informers };
  }

  #build({ spec, runner, stores, recorder }: Controller): Reconciler {
    const { clock, random } = this.#around;
    const mayWrite = (): boolean => this.#election?.holds() ?? true;
    return spec.build({
      client: scoped(this.#options.client, grantsOf(spec), spec.name, { mayWrite }),
      store: (resource) => stores.of(resource),
      events: recorder,
      now: () => clock.now(),
      random,
      enqueue: (key, afterMs = 0) => runner.enqueue(key, { afterMs }),
    });
  }
}

/** A pass over half a cache would see children missing that are there: nothing is worked on before all is listed. */
async function work({ informers, runner }: Controller, reconciler: Reconciler, signal: AbortSignal): Promise<void> {
  await Promise.race([Promise.all(informers.map((informer) => informer.synced())), aborted(signal)]);
  if (!signal.aborted) await runner.run(reconciler);
}

/** An object that moved from one owner to another concerns both. */
function enqueueAll(runner: ControllerRunner, { toKeys }: Source, change: Change<KubeObject>): void {
  const priority = change.initial ? 'low' : 'normal';
  const concerned = [change.object, ...(change.previous === undefined ? [] : [change.previous])];
  for (const object of concerned) for (const key of toKeys(object)) runner.enqueue(key, { priority });
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
