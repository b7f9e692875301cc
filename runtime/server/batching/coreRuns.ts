import type { Run } from './run.ts';
import { RunCosts } from './runCosts.ts';
import type { WaitingLine } from './waitingLine.ts';

/** Rows that must wait for each core: smaller batches cost more a row than they gain. */
const LEAST_ROWS = 8;
/** So many of the longer runs must fit into the time that the most hurried request has left. */
const SLACK = 2;
/** How long nothing must have come before a free core takes less than a full batch, and how long it waits in all: share of a run. */
const QUIET_MS = 2;
const QUIET_SHARE = 0.05;
const GATHER_SHARE = 0.1;

/**
 * When requests run one thread a run, one run for each core. They begin on an idle engine for which enough waits, and go
 * on until it is idle again: a run of one thread and one of all threads never share the cores. Callers who were
 * answered mostly ask again at once, so a core that got free waits a moment for them, while the others go on.
 */
export class CoreRuns {
  /** Runs at the same time; 0: the engine has no such runs. */
  readonly most: number;
  readonly costs = new RunCosts();
  /** Whether what runs now runs so. */
  active = false;
  readonly #maxSize: number;
  /** Rows of the first run of a beginning, until one of its runs has ended; then 0. */
  #first = 0;
  #freeSince = 0;
  #lastMs = 0;

  constructor(most: number | undefined, maxSize: number) {
    this.most = most ?? 0;
    this.#maxSize = maxSize;
  }

  /** To be asked on an idle engine: how what waits is to be run. */
  begin(line: WaitingLine, now: number): void {
    this.active = this.most > 0 && this.#suits(line, now);
    this.#first = this.active ? Math.min(this.#maxSize, Math.ceil(line.rows / this.most)) : 0;
    this.#freeSince = now;
  }

  /**
   * Rows of the next run at most. Runs that start together are of different lengths: they would end together too, and
   * again and again, and all cores would wait while the answers of all are written.
   */
  share(running: { readonly size: number } & Iterable<Run>, now: number): number {
    if (this.#first > 0) return Math.max(1, Math.floor((this.#first * (this.most - running.size)) / this.most));
    for (const { rows, startedAt } of running)
      if (now - startedAt < this.costs.of(rows) / (2 * this.most)) return Math.ceil(this.#maxSize / 2);
    return this.#maxSize;
  }

  ended(ms: number, now: number, left: number): void {
    this.#first = 0;
    this.#lastMs = ms;
    this.#freeSince = now;
    this.active &&= left > 0;
  }

  /** Moment until which a free core waits for so many rows; `lastAt`: when the last request came. */
  gathersUntil(line: WaitingLine, share: number, lastAt: number): number {
    if (line.rows >= share) return -Infinity;
    const quiet = Math.min(QUIET_MS, this.#lastMs * QUIET_SHARE);
    const until = Math.min(this.#freeSince + this.#lastMs * GATHER_SHARE, Math.max(this.#freeSince, lastAt) + quiet);
    return this.#leavesTime(line, line.rows, until) ? until : -Infinity;
  }

  #suits(line: WaitingLine, now: number): boolean {
    if (line.rows < LEAST_ROWS * this.most) return false;
    let largest = 0;
    for (let request = line.first(); request !== undefined; request = line.following()) {
      if (request.alone) return false;
      largest = Math.max(largest, request.rows);
    }
    if (largest * this.most > line.rows) return false;
    const rows = Math.min(this.#maxSize, Math.ceil(line.rows / this.most));
    return this.#leavesTime(line, rows, now);
  }

  /** Whether nobody in the line is too hurried for a run of one thread that starts then. */
  #leavesTime(line: WaitingLine, rows: number, start: number): boolean {
    const end = start + SLACK * this.costs.atWorst(rows);
    for (let request = line.first(); request !== undefined; request = line.following())
      if (request.deadline < end) return false;
    return true;
  }
}
