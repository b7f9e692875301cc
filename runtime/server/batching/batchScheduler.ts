import type { Tensor } from '@slipway/crds/contract';
import { sentenceOf } from '../../artifact/failure.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import type { TensorValue } from '../tensor.ts';
import { type Bounds, expectedEnd, type Load, mayProbe, mostWaiting, overloaded, tooLate } from './admission.ts';
import { Deadlines } from './deadlines.ts';
import { afterFailure } from './failures.ts';
import { type Gathered, gather } from './gather.ts';
import { InlineGate } from './inlineGate.ts';
import { type Selection, Selections } from './outputs.ts';
import { type BatchRules, isLate, pick } from './picking.ts';
import { ENDED, LEASED, type Owner, type Request, RUNNING, WAITING } from './request.ts';
import { Rooms } from './rooms.ts';
import { RowProof } from './rowProof.ts';
import { Run } from './run.ts';
import { RunCosts } from './runCosts.ts';
import type { Done, Lease, Order, Outcome, RunObserver, Scheduler, SchedulerCounts, Urgency } from './scheduler.ts';
import { Scratch } from './scratch.ts';
import { Split, someRows, unscaled } from './split.ts';
import type { Surroundings } from './surroundings.ts';
import { Tally } from './tally.ts';
import { levelOf, WaitingLine } from './waitingLine.ts';

export interface BatchSettings extends Bounds {
  readonly preferredSizes: readonly number[];
  readonly maxDelayMs: number;
  readonly maxQueueBytes: number;
  /** Runs whose mean is below this may run on the calling thread; 0: none. */
  readonly inlineBelowMs: number;
  /** Batches that are checked for each output before rows are believed to be independent. */
  readonly proofs: number;
}

/** What a scheduler tells those who watch it. */
export interface Watchers {
  readonly observer: RunObserver | undefined;
  readonly onInlineStopped: (ms: number) => void;
  readonly onUnshared: (outputs: readonly string[]) => void;
}

/** Shorter runs are over before anybody could end them. */
const WORTH_ENDING_MS = 1;
/** Timers ring late, and answers have to be written: a delay ends this long before a run would have to start. */
const MARGIN_MS = 5;
/** How often a lost engine is looked after, and how long requests wait for it. */
const RECOVERY_LOOK_MS = 20;
const RECOVERY_MS = 10_000;

/**
 * Batches the requests of one model. A run starts as soon as one of the engine's instances is free, with what has
 * gathered meanwhile; on an idle engine it starts at the end of the turn of the loop, so that requests that arrived
 * together run together. All on one thread: between two callbacks every count is exact.
 */
export class BatchScheduler implements Scheduler, Owner {
  readonly batchable: boolean;
  readonly #engine: Engine;
  readonly #settings: BatchSettings;
  readonly #surroundings: Surroundings;
  readonly #now: () => number;
  readonly #watchers: Watchers;
  readonly #rules: BatchRules;
  readonly #hasText: boolean;
  readonly #rooms: Rooms;
  readonly #scratch: Scratch;
  readonly #selections: Selections;
  readonly #line = new WaitingLine();
  readonly #running = new Set<Run>();
  readonly #costs = new RunCosts();
  readonly #load: Load & { idleSince: number } = {
    line: this.#line,
    running: this.#running,
    costs: this.#costs,
    idleSince: -Infinity,
  };
  readonly #gate: InlineGate;
  readonly #proof: RowProof;
  readonly #tally: Tally;
  readonly #deadlines: Deadlines;
  /** Runs that are owed after a failure; they come before the line. */
  #owed: (readonly Request[])[] = [];
  /** Places of outputs that turned out not to have a row of its own for each row that went in. */
  readonly #unscaled = new Set<number>();
  #leased = 0;
  #turnEnds = false;
  #dispatching = false;
  #stopTimer: (() => void) | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(engine: Engine, settings: BatchSettings, surroundings: Surroundings, watchers: Watchers) {
    this.#engine = engine;
    this.#rooms = new Rooms(engine.signature, settings);
    this.batchable = this.#rooms.batchable;
    this.#settings = this.batchable ? settings : { ...settings, maxSize: 1 };
    this.#surroundings = surroundings;
    this.#now = surroundings.now;
    this.#watchers = watchers;
    const { maxSize, instances } = this.#settings;
    this.#rules = {
      maxSize,
      preferredSizes: settings.preferredSizes.filter((size) => size <= maxSize).toSorted((a, b) => a - b),
      groups: this.#rooms.groups,
    };
    this.#hasText = engine.signature.inputs.some(({ datatype }) => datatype === 'BYTES');
    this.#scratch = new Scratch(instances, this.#rooms.batchBytes);
    this.#selections = new Selections(engine.signature.outputs);
    this.#gate = new InlineGate(this.#mayRunHere() ? settings.inlineBelowMs : 0, watchers.onInlineStopped);
    this.#proof = new RowProof(engine.signature.outputs.length, settings.proofs);
    this.#tally = new Tally(maxSize);
    this.#deadlines = new Deadlines(surroundings, (now) => this.#sweep(now));
  }

  lease(shapes: readonly (readonly number[])[], urgency?: Urgency): Lease {
    if (this.#closing) throw new EngineError('Closing', 'The model is being unloaded.');
    if (urgency !== undefined) {
      const { priority, deadline = Infinity } = urgency;
      const rows = this.#rooms.rowsOf(shapes);
      const refusal = this.#refusal(levelOf(priority), deadline, rows, this.#now());
      if (refusal !== undefined) throw this.#counted(refusal);
    }
    const request = this.#rooms.open(this, shapes);
    if (request === undefined) throw this.#counted(this.#tooManyBytes());
    this.#leased += 1;
    return request;
  }

  submit(request: Request, order: Order, done: Done): void {
    if (request.stage !== LEASED) throw new Error('a lease is submitted or released, and once');
    const now = this.#now();
    this.#leased -= 1;
    request.done = done;
    request.arrivedAt = now;
    request.level = levelOf(order.priority);
    request.deadline = order.deadline ?? Infinity;
    const refusal = this.#unfit(request, order) ?? this.#refusal(request.level, request.deadline, request.rows, now);
    if (refusal !== undefined) {
      this.#refuse(request, refusal);
      return;
    }
    const full = this.#line.size >= mostWaiting(this.#settings, this.#running.size);
    const displaced = full ? this.#line.leastUrgent() : undefined;
    request.stage = WAITING;
    request.probe = request.deadline < Infinity && this.#idleTooLong(request.rows, now);
    this.#line.push(request);
    if (request.deadline !== Infinity) this.#deadlines.watch(request.deadline);
    this.#wake();
    if (displaced !== undefined) this.#end(displaced, this.#counted(this.#tooMany(now)));
  }

  release(request: Request): void {
    if (request.stage !== LEASED) throw new Error('a lease is submitted or released, and once');
    this.#leased -= 1;
    request.stage = ENDED;
    this.#rooms.free(request);
    this.#settle();
  }

  cancel(request: Request): void {
    if (request.stage !== WAITING && request.stage !== RUNNING) return;
    this.#tally.add(request.stage === WAITING ? 'cancelledQueued' : 'cancelledRunning');
    this.#end(request, new EngineError('Cancelled', 'The caller has gone.'));
  }

  counts(): SchedulerCounts {
    return this.#tally.read(this.#line.size + this.#owedRequests().length, this.#running.size);
  }

  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    this.#wake();
    this.#settle();
    return this.#closing.promise;
  }

  /** Where sizes are the callers' choice, one short run says nothing about the next. */
  #mayRunHere(): boolean {
    const { inputs } = this.#engine.signature;
    const fixed = inputs.every(
      ({ datatype, shape }) => datatype !== 'BYTES' && !shape.includes(-1, this.batchable ? 1 : 0),
    );
    return fixed && this.#engine.runHere !== undefined;
  }

  /** What is wrong with the request itself. */
  #unfit(request: Request, order: Order): EngineError | undefined {
    try {
      request.selection = this.#selections.of(order.outputs);
      request.alone ||= this.#mustBeAlone(request.selection);
      this.#engine.check?.(request.inputs);
    } catch (error) {
      return engineErrorOf(error);
    }
    return this.#hasText && !this.#rooms.countText(request) ? this.#tooManyBytes() : undefined;
  }

  /** Why a request of this kind can't be taken now. */
  #refusal(level: number, deadline: number, rows: number, now: number): EngineError | undefined {
    if (this.#line.size >= mostWaiting(this.#settings, this.#running.size)) {
      const least = this.#line.leastUrgent();
      if (least === undefined || least.level <= level) return this.#tooMany(now);
    }
    if (deadline === Infinity || expectedEnd(this.#settings, this.#load, level, rows, now) <= deadline)
      return undefined;
    if (deadline > now && mayProbe(this.#load, rows, now)) return undefined;
    return tooLate('The answer would come after the time the caller will wait.', this.#settings, this.#load, now);
  }

  #idleTooLong(rows: number, now: number): boolean {
    return this.#running.size === 0 && mayProbe(this.#load, rows, now);
  }

  #tooMany(now: number): EngineError {
    return overloaded('Too many requests wait for this model; come again later.', this.#settings, this.#load, now);
  }

  #tooManyBytes(): EngineError {
    const message = 'Requests that wait for this model hold too many bytes; come again later.';
    return overloaded(message, this.#settings, this.#load, this.#now());
  }

  #counted(refusal: EngineError): EngineError {
    if (refusal.kind === 'Overloaded') this.#tally.add('overloaded');
    if (refusal.kind === 'TooLate') this.#tally.add('tooLate');
    return refusal;
  }

  #refuse(request: Request, refusal: EngineError): void {
    this.#counted(refusal);
    request.stage = ENDED;
    this.#rooms.free(request);
    const { done } = request;
    request.done = undefined;
    this.#surroundings.soon(() => {
      done?.(refusal, undefined);
      this.#settle();
    });
  }

  #wake(): void {
    if (this.#turnEnds || this.#running.size >= this.#settings.instances) return;
    if (this.#line.size === 0 && this.#owed.length === 0) return;
    this.#turnEnds = true;
    this.#surroundings.endOfTurn(this.#onTurnEnd);
  }

  readonly #onTurnEnd = (): void => {
    this.#turnEnds = false;
    this.#dispatch();
  };

  /** Starts runs until the engine is full or nothing waits. What callbacks submit meanwhile waits for the next turn. */
  #dispatch(): void {
    if (this.#dispatching || this.#awaitsEngine()) return;
    this.#dispatching = true;
    let left = this.#line.size + this.#owed.length;
    while (left > 0 && this.#running.size < this.#settings.instances) {
      const taken = this.#startNext(this.#now());
      if (taken === 0) break;
      left -= taken;
    }
    this.#dispatching = false;
    if (left <= 0) this.#wake();
  }

  /** Answers how many requests left the line. */
  #startNext(now: number): number {
    const owed = this.#owed.shift();
    if (owed !== undefined) {
      const waiting = owed.filter(({ stage }) => stage === WAITING);
      const late = waiting.filter((request) => isLate(request, now, this.#costs));
      this.#start(late.length === 0 ? waiting : waiting.filter((request) => !late.includes(request)), now);
      this.#expire(late);
      return 1;
    }
    if (this.#delays(now)) return 0;
    const { members, late } = pick(this.#line, this.#rules, this.#costs, now);
    for (const request of members) this.#line.remove(request);
    for (const request of late) this.#line.remove(request);
    this.#start(members, now);
    this.#expire(late);
    return members.length + late.length;
  }

  /** Whether to wait for a fuller batch; sets the timer for the end of the wait. */
  #delays(now: number): boolean {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const { maxDelayMs, maxSize } = this.#settings;
    const target = this.#rules.preferredSizes.at(-1) ?? maxSize;
    if (maxDelayMs === 0 || this.#closing !== undefined || this.#line.rows >= target) return false;
    let until = this.#line.oldest() + maxDelayMs;
    const time = this.#costs.of(this.#line.rows) + MARGIN_MS;
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      until = Math.min(until, request.deadline - time);
    if (until <= now) return false;
    this.#stopTimer = this.#surroundings.timer(Math.ceil(until - now), () => {
      this.#stopTimer = undefined;
      this.#dispatch();
    });
    return true;
  }

  #start(members: readonly Request[], now: number): void {
    if (members.length === 0) return;
    const rows = members.reduce((sum, request) => sum + request.rows, 0);
    const selection = this.#selections.union(members.map((request) => request.selection as Selection));
    const gathered = this.#gather(members, rows);
    if (gathered === undefined) return;
    const run = new Run(members, rows, gathered.inputs, gathered.scratch, selection, now);
    for (const request of members) {
      this.#rooms.left(request);
      request.stage = RUNNING;
      request.run = run;
    }
    this.#running.add(run);
    if (this.#gate.allows(rows, now)) this.#runHere(run);
    else this.#runAway(run);
  }

  /** Undefined when there is no memory to gather in: then nobody is answered. */
  #gather(members: readonly Request[], rows: number): Gathered | undefined {
    try {
      return gather(members, rows, this.#scratch);
    } catch {
      const refusal = overloaded('There is no memory for this request now.', this.#settings, this.#load, this.#now());
      for (const request of members) this.#end(request, this.#counted(refusal));
      return undefined;
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
    const ms = now - run.startedAt;
    this.#gate.ranHere(run.rows, ms, now);
    this.#succeeded(run, outputs, ms);
  }

  #runAway(run: Run): void {
    const cost = this.#costs.of(run.rows);
    if (cost === 0 || cost >= WORTH_ENDING_MS) run.controller = new AbortController();
    const options = run.controller === undefined ? undefined : { signal: run.controller.signal };
    this.#engine.run(run.inputs, run.selection.names, options).then(
      (outputs) => {
        const ms = this.#now() - run.startedAt;
        this.#gate.ranAway(run.rows, ms);
        this.#succeeded(run, outputs, ms);
      },
      (error: unknown) => this.#failed(run, engineErrorOf(error)),
    );
  }

  #succeeded(run: Run, outputs: readonly TensorValue[], computeMs: number): void {
    this.#costs.learn(run.rows, computeMs);
    this.#tally.ran(run.rows, computeMs);
    if (this.batchable) {
      const found = unscaled(run.selection, outputs, run.rows);
      if (found.length > 0) this.#unshare(found);
      if (run.members.length > 1) {
        if (found.length > 0) {
          this.#runSingly(run);
          return;
        }
        if (this.#proof.wanted(run.selection)) {
          this.#prove(run, outputs, computeMs);
          return;
        }
      }
    }
    this.#answer(run, outputs, computeMs);
  }

  /** Runs the smallest request of the batch alone, and answers all if that says the same. The run is not over before that. */
  #prove(run: Run, outputs: readonly TensorValue[], computeMs: number): void {
    const smallest = run.members.reduce((least, request) => (request.rows <= least.rows ? request : least));
    const from = run.members.slice(0, run.members.indexOf(smallest)).reduce((sum, { rows }) => sum + rows, 0);
    const { selection } = run;
    this.#engine.run(smallest.inputs, selection.names).then(
      (alone) => {
        const found = this.#proof.differing(selection, someRows(outputs, run.rows, from, smallest.rows), alone);
        if (found.length === 0) {
          this.#answer(run, outputs, computeMs);
          return;
        }
        this.#unshare(found);
        this.#runSingly(run);
      },
      (error: unknown) => this.#failed(run, engineErrorOf(error)),
    );
  }

  #runSingly(run: Run): void {
    this.#ended(run);
    this.#owe(
      run,
      live(run).map((request) => [request]),
    );
    this.#dispatch();
  }

  /** The next run is started before these answers are written, so that the engine does not wait for that. */
  #answer(run: Run, outputs: readonly TensorValue[], computeMs: number): void {
    this.#ended(run);
    this.#dispatch();
    this.#watchers.observer?.ran(run.inputs, outputs, run.rows);
    const split = new Split(run, outputs);
    for (const request of run.members) {
      const answers = split.next(request);
      if (request.stage !== RUNNING) continue;
      const queueMs = run.startedAt - request.arrivedAt;
      finish(request, undefined, { outputs: answers, batchRows: run.rows, queueMs, computeMs, cached: false });
    }
    this.#freeAll(run, run.members);
  }

  #failed(run: Run, error: EngineError): void {
    this.#ended(run);
    const members = live(run);
    if (members.length > 0 || error.kind !== 'Cancelled') this.#tally.add('failedRuns');
    const { failed, again } = afterFailure(error, members, run.members.length > 1);
    this.#owe(run, again);
    this.#dispatch();
    for (const request of failed) finish(request, error, undefined);
    this.#freeAll(run, failed);
  }

  #ended(run: Run): void {
    this.#running.delete(run);
    this.#load.idleSince = this.#now();
  }

  /** From now on requests for these outputs run alone. */
  #unshare(outputs: readonly number[]): void {
    const news = outputs.filter((index) => !this.#unscaled.has(index));
    if (news.length === 0) return;
    for (const index of news) this.#unscaled.add(index);
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      request.alone ||= this.#mustBeAlone(request.selection as Selection);
    this.#watchers.onUnshared(news.map((index) => (this.#engine.signature.outputs[index] as Tensor).name));
  }

  #mustBeAlone({ indexes }: Selection): boolean {
    return this.#unscaled.size > 0 && indexes.some((index) => this.#unscaled.has(index));
  }

  /** Puts the live members of a run back to wait for these runs; the memory of the others is free. */
  #owe(run: Run, runs: readonly (readonly Request[])[]): void {
    for (const members of runs) {
      for (const request of members) {
        request.stage = WAITING;
        request.run = undefined;
      }
    }
    this.#owed = [...runs, ...this.#owed];
    this.#freeAll(
      run,
      run.members.filter(({ stage }) => stage === ENDED),
    );
  }

  #freeAll(run: Run, members: readonly Request[]): void {
    for (const request of members) this.#rooms.free(request);
    if (run.scratch !== undefined) this.#scratch.give(run.scratch);
    this.#settle();
  }

  /** Ends a request that has not been answered, wherever it is. The memory of a running one is free when its run ends. */
  #end(request: Request, error: EngineError): void {
    const { run, stage } = request;
    this.#line.remove(request);
    if (stage === WAITING) this.#rooms.free(request);
    finish(request, error, undefined);
    if (stage === RUNNING && run !== undefined) {
      run.live -= 1;
      if (run.live === 0) run.controller?.abort();
    }
    this.#settle();
  }

  #expire(requests: readonly Request[]): void {
    for (const request of requests) {
      if (request.stage !== WAITING && request.stage !== RUNNING) continue;
      const now = this.#now();
      const message = 'The time the caller will wait is over.';
      this.#end(request, this.#counted(tooLate(message, this.#settings, this.#load, now)));
    }
  }

  /** Ends all whose deadline has passed; answers the earliest one left. */
  #sweep(now: number): number {
    const waiting = this.#owedRequests();
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      waiting.push(request);
    for (const run of this.#running) waiting.push(...run.members);
    this.#expire(waiting.filter(({ deadline }) => deadline <= now));
    return waiting.reduce(
      (soonest, { stage, deadline }) => (stage === ENDED ? soonest : Math.min(soonest, deadline)),
      Infinity,
    );
  }

  /** While a lost engine is being replaced nothing is started, because it would be lost too. */
  #awaitsEngine(): boolean {
    if (this.#engine.healthy || (this.#line.size === 0 && this.#owed.length === 0)) return false;
    const before = this.#now() - RECOVERY_MS;
    const waiting = this.#owedRequests();
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      waiting.push(request);
    for (const request of waiting) {
      if (request.stage === WAITING && request.arrivedAt < before)
        this.#end(request, new EngineError('EngineLost', 'What runs the model was lost and has not come back.'));
    }
    this.#stopTimer?.();
    this.#stopTimer = this.#surroundings.timer(RECOVERY_LOOK_MS, () => {
      this.#stopTimer = undefined;
      this.#dispatch();
    });
    return true;
  }

  #owedRequests(): Request[] {
    return this.#owed.flat().filter(({ stage }) => stage === WAITING);
  }

  #settle(): void {
    if (this.#closing === undefined || this.#leased + this.#line.size + this.#owed.length + this.#running.size > 0)
      return;
    this.#stopTimer?.();
    this.#deadlines.stop();
    this.#closing.resolve();
  }
}

const live = (run: Run): Request[] => run.members.filter(({ stage }) => stage === RUNNING);

function finish(request: Request, error: EngineError | undefined, outcome: Outcome | undefined): void {
  const { done } = request;
  request.stage = ENDED;
  request.done = undefined;
  done?.(error, outcome);
}

const engineErrorOf = (error: unknown): EngineError =>
  error instanceof EngineError ? error : new EngineError('ModelFailed', sentenceOf(error));
