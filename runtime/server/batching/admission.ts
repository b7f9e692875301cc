import { EngineError } from '../engine/engine.ts';
import type { Run } from './run.ts';
import type { RunCosts } from './runCosts.ts';
import type { WaitingLine } from './waitingLine.ts';

/** When nothing was run for this long, and for as long as a run lasts, what runs cost is no longer believed. */
const STALE_MS = 100;

export interface Bounds {
  readonly maxSize: number;
  readonly instances: number;
  readonly maxQueue: number;
}

export interface Load {
  readonly line: WaitingLine;
  readonly runner: {
    readonly running: { readonly size: number } & Iterable<Run>;
    readonly costs: RunCosts;
    /** When the last run ended. */
    readonly idleSince: number;
  };
}

/** Requests that may wait: those a free engine takes at the end of this turn don't count. */
export const mostWaiting = ({ maxQueue, maxSize, instances }: Bounds, running: number): number =>
  maxQueue + (instances - running) * maxSize;

/** Whether a request of this level could be answered in time, if all goes as it did. */
export function canBeInTime(
  bounds: Bounds,
  load: Load,
  level: number,
  deadline: number,
  rows: number,
  now: number,
): boolean {
  const runs = load.line.rows / bounds.maxSize + 2;
  if (deadline - now > runs * load.runner.costs.highest) return true;
  return expectedEnd(bounds, load, level, rows, now) <= deadline;
}

function expectedEnd(bounds: Bounds, load: Load, level: number, rows: number, now: number): number {
  const ahead = load.line.rowsAhead(level);
  const batches = Math.floor(ahead / bounds.maxSize);
  const own = Math.max(rows, Math.min(bounds.maxSize, (ahead % bounds.maxSize) + rows));
  return (
    freeAt(bounds, load, now) +
    (batches / bounds.instances) * load.runner.costs.of(bounds.maxSize) +
    load.runner.costs.of(own)
  );
}

/** How long until all that waits now has been run: when to come again. At least 1 ms. */
export function untilDrained(bounds: Bounds, load: Load, now: number): number {
  const runs = Math.ceil(load.line.rows / bounds.maxSize) / bounds.instances;
  const ms = freeAt(bounds, load, now) - now + runs * load.runner.costs.of(bounds.maxSize);
  return Math.max(1, Math.ceil(ms));
}

/**
 * Whether a request that looks too late runs all the same, to learn whether it is. Only on an engine that has nothing else
 * to do, and for half of its time at most: else one slow minute would be believed for ever.
 */
export const mayProbe = (load: Load, rows: number, now: number): boolean =>
  load.runner.running.size === 0 &&
  load.line.size === 0 &&
  now - load.runner.idleSince > Math.max(STALE_MS, load.runner.costs.of(rows));

/** Times as long as a run that lie between two requests that yield: they take a quarter of the engine's time at most. */
const REST = 4;

/**
 * Whether a request that yields would keep nobody waiting: but for one that comes while it runs, as long as that takes.
 * `lastAt`: when one was taken last. It is not the time since any run: on a machine that is short of time, runs that take
 * long and live requests between them would leave no moment for a copy.
 */
export const hasTimeToSpare = (
  { line, runner: { running, costs } }: Load,
  rows: number,
  lastAt: number,
  now: number,
): boolean => running.size === 0 && line.size === 0 && now - lastAt >= REST * costs.of(rows);

export const overloaded = (message: string, bounds: Bounds, load: Load, now: number): EngineError =>
  new EngineError('Overloaded', message, untilDrained(bounds, load, now));

export const tooLate = (message: string, bounds: Bounds, load: Load, now: number): EngineError =>
  new EngineError('TooLate', message, untilDrained(bounds, load, now));

/** When an instance is free. */
function freeAt({ instances }: Bounds, { runner: { running, costs } }: Load, now: number): number {
  if (running.size < instances) return now;
  let earliest = Infinity;
  for (const run of running) earliest = Math.min(earliest, run.startedAt + costs.of(run.rows));
  return Math.max(now, earliest);
}
