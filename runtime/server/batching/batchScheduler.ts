import { type Engine, EngineError } from '../engine/engine.ts';
import {
  type Bounds,
  canBeInTime,
  hasTimeToSpare,
  type Load,
  mayProbe,
  mostWaiting,
  overloaded,
  tooLate,
} from './admission.ts';
import { Deadlines } from './deadlines.ts';
import { engineErrorOf } from './failures.ts';
import type { Selection } from './outputs.ts';
import { type BatchRules, isLate, pick } from './picking.ts';
import { ENDED, LEASED, type Owner, type Request, RUNNING, WAITING } from './request.ts';
import { Rooms } from './rooms.ts';
import { type RunHost, Runner, type RunSettings, type Watchers } from './runner.ts';
import type { Done, Lease, Order, Scheduler, SchedulerCounts, Urgency } from './scheduler.ts';
import type { Surroundings } from './surroundings.ts';
import { Tally } from './tally.ts';
import { LEVELS, levelOf, WaitingLine } from './waitingLine.ts';

export interface BatchSettings extends Bounds, RunSettings {
  readonly preferredSizes: readonly number[];
  readonly maxDelayMs: number;
  readonly maxQueueBytes: number;
}

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
export class BatchScheduler implements Scheduler, Owner, RunHost {
  readonly batchable: boolean;
  readonly #engine: Engine;
  readonly #settings: BatchSettings;
  /** The same while there is one run for each core. */
  readonly #coreBounds: Bounds;
  readonly #surroundings: Surroundings;
  readonly #now: () => number;
  readonly #rules: BatchRules;
  readonly #hasText: boolean;
  readonly #rooms: Rooms;
  readonly #line = new WaitingLine();
  readonly #runner: Runner;
  readonly #load: Load;
  readonly #tally: Tally;
  readonly #deadlines: Deadlines;
  /** Runs that are owed after a failure; they come before the line. */
  #owed: (readonly Request[])[] = [];
  #leased = 0;
  #lastAt = 0;
  /** When a request that yields was taken last. */
  #yieldedAt = Number.NEGATIVE_INFINITY;
  #turnEnds = false;
  #dispatching = false;
  #stopTimer: (() => void) | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(engine: Engine, settings: BatchSettings, surroundings: Surroundings, watchers: Watchers) {
    this.#engine = engine;
    const atOnce = Math.max(settings.instances, engine.perCore ?? 0);
    this.#rooms = new Rooms(engine.signature, { ...settings, instances: atOnce });
    this.batchable = this.#rooms.batchable;
    this.#settings = this.batchable ? settings : { ...settings, maxSize: 1 };
    this.#surroundings = surroundings;
    this.#now = surroundings.now;
    const { maxSize } = this.#settings;
    this.#rules = {
      maxSize,
      preferredSizes: settings.preferredSizes.filter((size) => size <= maxSize).toSorted((a, b) => a - b),
      groups: this.#rooms.groups,
    };
    this.#hasText = engine.signature.inputs.some(({ datatype }) => datatype === 'BYTES');
    this.#tally = new Tally(maxSize);
    this.#coreBounds = { ...this.#settings, instances: atOnce };
    this.#runner = new Runner(engine, this.#settings, this.#now, watchers, this.#rooms, this.#tally, this);
    this.#load = { line: this.#line, runner: this.#runner };
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
    request.level = order.yields ? LEVELS - 1 : levelOf(order.priority);
    request.deadline = order.deadline ?? Infinity;
    if (order.yields && !this.#takesTimeFor(request, now)) {
      this.#refuse(request, overloaded('Others are asking this model now.', this.#bounds, this.#load, now));
      return;
    }
    const refusal = this.#unfit(request, order) ?? this.#refusal(request.level, request.deadline, request.rows, now);
    if (refusal !== undefined) {
      this.#refuse(request, this.#counted(refusal));
      return;
    }
    const full = this.#line.size >= mostWaiting(this.#bounds, this.#runner.running.size);
    const displaced = full ? this.#line.leastUrgent() : undefined;
    request.stage = WAITING;
    this.#lastAt = now;
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
    return this.#tally.read(this.#line.size + this.#owedRequests().length, this.#runner.running.size);
  }

  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    this.#wake();
    this.#settle();
    return this.#closing.promise;
  }

  next(owed: readonly (readonly Request[])[]): void {
    if (owed.length > 0) this.#owed = [...owed, ...this.#owed];
    this.#dispatch();
  }

  unshared(): void {
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      request.alone ||= this.#runner.mustBeAlone(request.selection as Selection);
  }

  settled(): void {
    this.#settle();
  }

  /** What is wrong with the request itself. */
  #unfit(request: Request, order: Order): EngineError | undefined {
    try {
      request.selection = this.#runner.select(order.outputs);
      request.alone ||= this.#runner.mustBeAlone(request.selection);
      this.#engine.check?.(request.inputs);
    } catch (error) {
      return engineErrorOf(error);
    }
    return this.#hasText && !this.#rooms.countText(request) ? this.#tooManyBytes() : undefined;
  }

  /** Why a request of this kind can't be taken now. */
  #refusal(level: number, deadline: number, rows: number, now: number): EngineError | undefined {
    if (this.#line.size >= mostWaiting(this.#bounds, this.#runner.running.size)) {
      const least = this.#line.leastUrgent();
      if (least === undefined || least.level <= level) return this.#tooMany(now);
    }
    if (canBeInTime(this.#bounds, this.#load, level, deadline, rows, now)) return undefined;
    if (deadline > now && mayProbe(this.#load, rows, now)) return undefined;
    return tooLate('The answer would come after the time the caller will wait.', this.#bounds, this.#load, now);
  }

  /** Inputs that are being read belong to requests that are about to wait. */
  #takesTimeFor({ rows }: Request, now: number): boolean {
    if (this.#leased > 0 || this.#owed.length > 0 || !hasTimeToSpare(this.#load, rows, this.#yieldedAt, now))
      return false;
    this.#yieldedAt = now;
    return true;
  }

  #idleTooLong(rows: number, now: number): boolean {
    return this.#runner.running.size === 0 && mayProbe(this.#load, rows, now);
  }

  #tooMany(now: number): EngineError {
    return overloaded('Too many requests wait for this model; come again later.', this.#bounds, this.#load, now);
  }

  #tooManyBytes(): EngineError {
    const message = 'Requests that wait for this model hold too many bytes; come again later.';
    return overloaded(message, this.#bounds, this.#load, this.#now());
  }

  #counted(refusal: EngineError): EngineError {
    if (refusal.kind === 'Overloaded') this.#tally.add('overloaded');
    if (refusal.kind === 'TooLate') this.#tally.add('tooLate');
    return refusal;
  }

  #refuse(request: Request, refusal: EngineError): void {
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
    if (this.#turnEnds || this.#runner.running.size >= this.#bounds.instances) return;
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
    while (left > 0 && this.#runner.running.size < this.#bounds.instances) {
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
      const late = waiting.filter((request) => isLate(request, now, this.#runner.costs));
      this.#start(late.length === 0 ? waiting : waiting.filter((request) => !late.includes(request)), now);
      this.#expire(late);
      return 1;
    }
    if (this.#delays(now)) return 0;
    const { members, late } = pick(this.#line, this.#rulesFor(now), this.#runner.costs, now);
    for (const request of members) this.#line.remove(request);
    for (const request of late) this.#line.remove(request);
    this.#start(members, now);
    this.#expire(late);
    return members.length + late.length;
  }

  /** Rules of the run that starts now; on an idle engine also whether it is one of one thread. */
  #rulesFor(now: number): BatchRules {
    const { cores, running } = this.#runner;
    if (cores.most === 0) return this.#rules;
    if (running.size === 0) cores.begin(this.#line, now);
    return cores.active ? { ...this.#rules, maxSize: cores.share(running, now) } : this.#rules;
  }

  get #bounds(): Bounds {
    return this.#runner.cores.active ? this.#coreBounds : this.#settings;
  }

  /** Whether to wait for a fuller batch; sets the timer for the end of the wait. */
  #delays(now: number): boolean {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#closing !== undefined) return false;
    const until = Math.max(this.#fullerAt(), this.#gathersUntil(now));
    if (until <= now) return false;
    this.#stopTimer = this.#surroundings.timer(Math.ceil(until - now), () => {
      this.#stopTimer = undefined;
      this.#dispatch();
    });
    return true;
  }

  #gathersUntil(now: number): number {
    const { cores, running } = this.#runner;
    return cores.active ? cores.gathersUntil(this.#line, cores.share(running, now), this.#lastAt) : -Infinity;
  }

  /** Moment until which the settings let a free engine wait. */
  #fullerAt(): number {
    const { maxDelayMs, maxSize } = this.#settings;
    const target = this.#rules.preferredSizes.at(-1) ?? maxSize;
    if (maxDelayMs === 0 || this.#line.rows >= target) return -Infinity;
    let until = this.#line.oldest() + maxDelayMs;
    const time = this.#runner.costs.of(this.#line.rows) + MARGIN_MS;
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      until = Math.min(until, request.deadline - time);
    return until;
  }

  #start(members: readonly Request[], now: number): void {
    if (members.length === 0 || this.#runner.start(members, now)) return;
    const refusal = overloaded('There is no memory for this request now.', this.#bounds, this.#load, now);
    for (const request of members) this.#end(request, this.#counted(refusal));
  }

  /** Ends a request that has not been answered, wherever it is. The memory of a running one is free when its run ends. */
  #end(request: Request, error: EngineError): void {
    const { run, stage } = request;
    this.#line.remove(request);
    if (stage === WAITING) this.#rooms.free(request);
    request.end(error, undefined);
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
      this.#end(request, this.#counted(tooLate(message, this.#bounds, this.#load, now)));
    }
  }

  /** Ends all whose deadline has passed; answers the earliest one left. */
  #sweep(now: number): number {
    const waiting = this.#owedRequests();
    for (let request = this.#line.first(); request !== undefined; request = this.#line.following())
      waiting.push(request);
    for (const run of this.#runner.running) waiting.push(...run.members);
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
    if (this.#closing === undefined) return;
    this.#owed = this.#owed.filter((members) => members.some(({ stage }) => stage === WAITING));
    if (this.#leased + this.#line.size + this.#owed.length + this.#runner.running.size > 0) return;
    this.#stopTimer?.();
    this.#deadlines.stop();
    this.#closing.resolve();
  }
}
