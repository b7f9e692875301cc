import type { Request } from './request.ts';

export const LEVELS = 9;
const MIDDLE = 5;

/**
 * Waiting lifts a request by one level each second: its place is that of a request of the most urgent level that came
 * (level × 1 s) later. So an urgent request overtakes what came shortly before it, and nothing starves, because what has
 * waited long enough is overtaken by nothing new.
 */
export const MS_A_LEVEL = 1000;

/** 0 is the most urgent. */
export const levelOf = (priority: number | undefined): number =>
  Math.min(priority === undefined || priority <= 0 ? MIDDLE : priority, LEVELS) - 1;

/**
 * The requests that wait, most urgent first and first come first served within a level. A list for each level, linked
 * through the requests: any of them leaves at no cost, so that callers who go away leave nothing behind.
 */
export class WaitingLine {
  readonly #first: (Request | undefined)[] = new Array(LEVELS).fill(undefined);
  readonly #last: (Request | undefined)[] = new Array(LEVELS).fill(undefined);
  readonly #cursors: (Request | undefined)[] = new Array(LEVELS).fill(undefined);
  readonly #rows = new Float64Array(LEVELS);
  #size = 0;
  #allRows = 0;

  get size(): number {
    return this.#size;
  }

  get rows(): number {
    return this.#allRows;
  }

  push(request: Request): void {
    const { level } = request;
    const last = this.#last[level];
    request.turn = request.arrivedAt + level * MS_A_LEVEL;
    request.before = last;
    request.behind = undefined;
    if (last === undefined) this.#first[level] = request;
    else last.behind = request;
    this.#last[level] = request;
    request.queued = true;
    this.#count(request, 1);
  }

  remove(request: Request): void {
    if (!request.queued) return;
    const { level, before, behind } = request;
    if (before === undefined) this.#first[level] = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last[level] = before;
    else behind.before = before;
    request.before = undefined;
    request.behind = undefined;
    request.queued = false;
    this.#count(request, -1);
  }

  /** The one whose turn it is; `following` then walks the others in order. Nothing may join or leave during a walk. */
  first(): Request | undefined {
    for (let level = 0; level < LEVELS; level += 1) this.#cursors[level] = this.#first[level];
    return this.following();
  }

  following(): Request | undefined {
    let next: Request | undefined;
    for (let level = 0; level < LEVELS; level += 1) {
      const request = this.#cursors[level];
      if (request !== undefined && (next === undefined || request.turn < next.turn)) next = request;
    }
    if (next !== undefined) this.#cursors[next.level] = next.behind;
    return next;
  }

  /** The newest of the least urgent: the first to be given up. */
  leastUrgent(): Request | undefined {
    return this.#last.findLast((request) => request !== undefined);
  }

  /** When the one that has waited longest came. */
  oldest(): number {
    return this.#first.reduce((oldest, request) => Math.min(oldest, request?.arrivedAt ?? oldest), Infinity);
  }

  /** Rows of this level and of all that are more urgent. */
  rowsAhead(level: number): number {
    let rows = 0;
    for (let i = 0; i <= level; i += 1) rows += this.#rows[i] as number;
    return rows;
  }

  #count(request: Request, sign: 1 | -1): void {
    this.#size += sign;
    this.#allRows += sign * request.rows;
    this.#rows[request.level] = (this.#rows[request.level] as number) + sign * request.rows;
  }
}
