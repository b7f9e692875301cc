import type { SchedulerCounts } from './scheduler.ts';

type Counted = 'overloaded' | 'tooLate' | 'cancelledQueued' | 'cancelledRunning' | 'failedRuns';

/** What a scheduler has done since its start. */
export class Tally {
  readonly #most: number;
  readonly #byRows = new Map<number, { runs: number; computeMs: number }>();
  runs = 0;
  rows = 0;
  overloaded = 0;
  tooLate = 0;
  cancelledQueued = 0;
  cancelledRunning = 0;
  failedRuns = 0;

  /** Runs of more than `most` rows, whose sizes are the callers' choice, are counted by the next power of two. */
  constructor(most: number) {
    this.#most = most;
  }

  add(what: Counted): void {
    this[what] += 1;
  }

  ran(rows: number, computeMs: number): void {
    this.runs += 1;
    this.rows += rows;
    const size = rows <= this.#most ? rows : 2 ** Math.ceil(Math.log2(rows));
    const known = this.#byRows.get(size);
    if (known === undefined) {
      this.#byRows.set(size, { runs: 1, computeMs });
      return;
    }
    known.runs += 1;
    known.computeMs += computeMs;
  }

  read(waiting: number, running: number): SchedulerCounts {
    const { runs, rows, overloaded, tooLate, cancelledQueued, cancelledRunning, failedRuns } = this;
    return {
      waiting,
      running,
      runs,
      rows,
      overloaded,
      tooLate,
      cancelledQueued,
      cancelledRunning,
      failedRuns,
      cacheHits: 0,
      cacheMisses: 0,
      shared: 0,
      runsByRows: new Map([...this.#byRows].map(([size, counted]) => [size, { ...counted }])),
    };
  }
}
