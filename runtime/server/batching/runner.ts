import type { Tensor } from '@slipway/crds/contract';
import type { Engine, EngineError, RunOptions } from '../engine/engine.ts';
import { Roster } from '../roster.ts';
import type { TensorValue } from '../tensor.ts';
import { CoreRuns } from './coreRuns.ts';
import { afterFailure, engineErrorOf } from './failures.ts';
import { type Gathered, gather } from './gather.ts';
import { InlineGate } from './inlineGate.ts';
import { type Selection, Selections } from './outputs.ts';
import { ENDED, type Request, RUNNING, WAITING } from './request.ts';
import type { Rooms } from './rooms.ts';
import { RowProof } from './rowProof.ts';
import { Run } from './run.ts';
import { RunCosts } from './runCosts.ts';
import type { RunObserver } from './scheduler.ts';
import { Scratch } from './scratch.ts';
import { Split, someRows, unscaled } from './split.ts';
import type { Tally } from './tally.ts';

export interface RunSettings {
  /** Rows of one run at most. */
  readonly maxSize: number;
  readonly instances: number;
  /** Runs shorter than this may run on the calling thread; 0: none. */
  readonly inlineBelowMs: number;
  /** Batches that are checked for each output before rows are believed to be independent. */
  readonly proofs: number;
}

/** What is told to those who watch. */
export interface Watchers {
  readonly observer: RunObserver | undefined;
  readonly onInlineStopped: (ms: number) => void;
  readonly onUnshared: (outputs: readonly string[]) => void;
}

/** Whoever has requests to run. */
export interface RunHost {
  /** An instance of the engine is free; `owed` are runs to be made before all others, for their members were there first. */
  next(owed: readonly (readonly Request[])[]): void;
  /** Some outputs may not be shared any more: what waits has to be looked at again. */
  unshared(): void;
  /** Requests have been answered. */
  settled(): void;
}

/** Shorter runs are over before anybody could end them. */
const WORTH_ENDING_MS = 1;

/** Runs batches on the engine and answers their members, each with its own rows; finds out what runs cost on the way. */
export class Runner {
  readonly running = new Roster<Run>();
  readonly cores: CoreRuns;
  /** When the last run ended. */
  idleSince = -Infinity;
  readonly #engine: Engine;
  /** Of runs that have all threads. */
  readonly #costs = new RunCosts();
  readonly #now: () => number;
  readonly #watchers: Watchers;
  readonly #rooms: Rooms;
  readonly #tally: Tally;
  readonly #host: RunHost;
  readonly #scratch: Scratch;
  readonly #selections: Selections;
  readonly #gate: InlineGate;
  readonly #proof: RowProof;
  /** Places of outputs that turned out not to have a row of its own for each row that went in. */
  readonly #unscaled = new Set<number>();

  constructor(
    engine: Engine,
    settings: RunSettings,
    now: () => number,
    watchers: Watchers,
    rooms: Rooms,
    tally: Tally,
    host: RunHost,
  ) {
    this.#engine = engine;
    this.#now = now;
    this.#watchers = watchers;
    this.#rooms = rooms;
    this.#tally = tally;
    this.#host = host;
    this.cores = new CoreRuns(engine.perCore, settings.maxSize);
    this.#scratch = new Scratch(Math.max(settings.instances, this.cores.most), rooms.batchBytes);
    this.#selections = new Selections(engine.signature.outputs);
    this.#gate = new InlineGate(mayRunHere(engine, rooms) ? settings.inlineBelowMs : 0, watchers.onInlineStopped);
    this.#proof = new RowProof(engine.signature.outputs.length, settings.proofs);
  }

  /** What runs cost the way they run now. */
  get costs(): RunCosts {
    return this.cores.active ? this.cores.costs : this.#costs;
  }

  /** Throws EngineError InvalidInput. */
  select(outputs: readonly string[]): Selection {
    return this.#selections.of(outputs);
  }

  mustBeAlone({ indexes }: Selection): boolean {
    return this.#unscaled.size > 0 && indexes.some((index) => this.#unscaled.has(index));
  }

  /** Runs these together. False when there is no memory to gather their inputs in; then nothing has happened. */
  start(members: readonly Request[], now: number): boolean {
    let rows = 0;
    for (const request of members) rows += request.rows;
    const gathered = this.#gather(members, rows);
    if (gathered === undefined) return false;
    const selection = this.#selections.union(members);
    const run = new Run(members, rows, gathered.inputs, gathered.scratch, selection, now, this.cores.active);
    for (const request of members) {
      this.#rooms.left(request);
      request.stage = RUNNING;
      request.run = run;
    }
    this.running.add(run);
    if (!run.perCore && this.#gate.allows(rows, now)) this.#runHere(run);
    else this.#runAway(run);
    return true;
  }

  #gather(members: readonly Request[], rows: number): Gathered | undefined {
    try {
      return gather(members, rows, this.#scratch);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #runHere(run: Run): void {
    let outputs: readonly TensorValue[];
    try {
      outputs = this.#engine.runHere?.(run.inputs, run.selection.names) as readonly TensorValue[];
    } catch (error) {
      this.#failed(run, engineErrorOf(error));
      return;
    }
    const now = this.#now();
    this.#gate.ranHere(run.rows, now - run.startedAt, now);
    this.#succeeded(run, outputs, now);
  }

  #runAway(run: Run): void {
    const cost = this.costs.of(run.rows);
    if (cost === 0 || cost >= WORTH_ENDING_MS) run.controller = new AbortController();
    this.#engine.run(run.inputs, run.selection.names, optionsOf(run)).then(
      (outputs) => {
        const now = this.#now();
        if (!run.perCore) this.#gate.ranAway(run.rows, now - run.startedAt);
        this.#succeeded(run, outputs, now);
      },
      (error: unknown) => this.#failed(run, engineErrorOf(error)),
    );
  }

  #succeeded(run: Run, outputs: readonly TensorValue[], now: number): void {
    const computeMs = now - run.startedAt;
    this.#costsOf(run).learn(run.rows, computeMs);
    this.#tally.ran(run.rows, computeMs);
    const found = this.#rooms.batchable ? unscaled(run.selection, outputs, run.rows) : [];
    if (found.length > 0) this.#unshare(found);
    if (run.members.length === 1) this.#answer(run, outputs, computeMs, now);
    else if (found.length > 0) this.#runSingly(run);
    else if (this.#proof.wanted(run.selection, run.members)) this.#prove(run, outputs, computeMs);
    else this.#answer(run, outputs, computeMs, now);
  }

  /** Runs the smallest request of the batch alone, and answers all if that says the same. The run is not over before that. */
  #prove(run: Run, outputs: readonly TensorValue[], computeMs: number): void {
    const smallest = run.members.reduce((least, request) => (request.rows <= least.rows ? request : least));
    const from = run.members.slice(0, run.members.indexOf(smallest)).reduce((sum, { rows }) => sum + rows, 0);
    const { selection } = run;
    this.#engine.run(smallest.inputs, selection.names, perCoreOf(run)).then(
      (alone) => {
        const batched = someRows(outputs, run.rows, from, smallest.rows);
        const found = this.#proof.differing(selection, run.members, batched, alone);
        if (found.length > 0) {
          this.#unshare(found);
          this.#runSingly(run);
        } else this.#answer(run, outputs, computeMs, this.#now());
      },
      (error: unknown) => this.#failed(run, engineErrorOf(error)),
    );
  }

  #runSingly(run: Run): void {
    this.#ended(run, this.#now());
    const owed = live(run).map((request) => [request]);
    this.#freeAll(run, gone(run));
    this.#host.next(backToWait(owed));
  }

  /** The next run is started before these answers are written, so that the engine does not wait for that. */
  #answer(run: Run, outputs: readonly TensorValue[], computeMs: number, now: number): void {
    this.#ended(run, now);
    this.#host.next([]);
    this.#watchers.observer?.ran(run.inputs, outputs, run.rows);
    const split = new Split(run, outputs);
    for (const request of run.members) {
      const answers = split.next(request);
      if (request.stage !== RUNNING) continue;
      const queueMs = run.startedAt - request.arrivedAt;
      request.end(undefined, { outputs: answers, batchRows: run.rows, queueMs, computeMs, cached: false, run });
    }
    this.#freeAll(run, run.members);
    this.#host.settled();
  }

  #failed(run: Run, error: EngineError): void {
    const now = this.#now();
    this.#ended(run, now);
    if (error.kind === 'Cancelled') this.#costsOf(run).learnUnfinished(run.rows, now - run.startedAt);
    const members = live(run);
    if (members.length > 0 || error.kind !== 'Cancelled') this.#tally.add('failedRuns');
    const { failed, again } = afterFailure(error, members, run.members.length > 1);
    this.#freeAll(run, [...gone(run), ...failed]);
    this.#host.next(backToWait(again));
    for (const request of failed) if (request.stage === RUNNING) request.end(error, undefined);
    this.#host.settled();
  }

  #ended(run: Run, now: number): void {
    this.running.delete(run);
    this.idleSince = now;
    if (run.perCore) this.cores.ended(now - run.startedAt, now, this.running.size);
  }

  #costsOf({ perCore }: Run): RunCosts {
    return perCore ? this.cores.costs : this.#costs;
  }

  /** From now on requests for these outputs run alone. */
  #unshare(outputs: readonly number[]): void {
    const news = outputs.filter((index) => !this.#unscaled.has(index));
    if (news.length === 0) return;
    for (const index of news) this.#unscaled.add(index);
    this.#host.unshared();
    this.#watchers.onUnshared(news.map((index) => (this.#engine.signature.outputs[index] as Tensor).name));
  }

  #freeAll(run: Run, members: readonly Request[]): void {
    for (const request of members) this.#rooms.free(request);
    if (run.scratch !== undefined) this.#scratch.give(run.scratch);
  }
}

/** Where sizes are the callers' choice, one short run says nothing about the next. */
function mayRunHere({ signature, runHere }: Engine, { batchable }: Rooms): boolean {
  const fixed = signature.inputs.every(
    ({ datatype, shape }) => datatype !== 'BYTES' && !shape.includes(-1, batchable ? 1 : 0),
  );
  return fixed && runHere !== undefined;
}

const PER_CORE: RunOptions = { perCore: true };
const perCoreOf = ({ perCore }: Run): RunOptions | undefined => (perCore ? PER_CORE : undefined);

const optionsOf = (run: Run): RunOptions | undefined =>
  run.controller === undefined ? perCoreOf(run) : { ...perCoreOf(run), signal: run.controller.signal };

const live = (run: Run): Request[] => run.members.filter(({ stage }) => stage === RUNNING);
const gone = (run: Run): Request[] => run.members.filter(({ stage }) => stage === ENDED);

function backToWait(runs: readonly (readonly Request[])[]): readonly (readonly Request[])[] {
  for (const request of runs.flat()) {
    request.stage = WAITING;
    request.run = undefined;
  }
  return runs;
}
