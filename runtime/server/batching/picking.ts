import type { Request } from './request.ts';
import type { RunCosts } from './runCosts.ts';
import type { WaitingLine } from './waitingLine.ts';

/** Requests of other shapes that a batch looks past for more of its own. */
const LOOK_PAST = 256;
/** Batches' worth of requests among which those that can be in time are looked for. */
const LOOK_AHEAD = 4;
/** A larger batch is taken only where it answers so much more: a smaller one leaves room for a run that goes less well. */
const WORTH_A_LARGER_BATCH = 1.1;

export interface BatchRules {
  readonly maxSize: number;
  /** Ascending, none above maxSize. */
  readonly preferredSizes: readonly number[];
  /** Whether requests of one model may differ in their shapes beside the batch dimension. */
  readonly groups: boolean;
}

export interface Picked {
  readonly members: readonly Request[];
  readonly rows: number;
  /** Found too late on the way. */
  readonly late: readonly Request[];
}

/** Whether a request can't be answered in time any more, even in a run of its own. */
export function isLate({ deadline, rows, probe }: Request, now: number, costs: RunCosts): boolean {
  const left = deadline - now;
  if (left > costs.highest) return false;
  return left <= 0 || (!probe && costs.of(rows) > left);
}

/**
 * The requests of the next run, in the order of the line: the first in it, and all behind it that may share its run, until
 * the batch is full. Where that would make a member late, those of the batch that answers most in time. Takes nothing out
 * of the line.
 */
export function pick(line: WaitingLine, rules: BatchRules, costs: RunCosts, now: number): Picked {
  const { first, late } = candidates(line, rules, costs, now, rules.maxSize);
  let members = first;
  const rows = rowsOf(members);
  const soonest = members.reduce((least, { deadline }) => Math.min(least, deadline), Infinity);
  if (members.length > 1 && soonest < now + costs.atWorst(rows)) {
    const more = candidates(line, rules, costs, now, rules.maxSize * LOOK_AHEAD).first;
    members = mostInTime(more, rows, costs, now);
  }
  return { ...cut(members, rowsOf(members), rules.preferredSizes), late };
}

/** What may run together, up to so many rows; and what was found late on the way. */
function candidates(line: WaitingLine, rules: BatchRules, costs: RunCosts, now: number, mostRows: number) {
  const first: Request[] = [];
  const late: Request[] = [];
  let rows = 0;
  let past = 0;
  for (let request = line.first(); request !== undefined; request = line.following()) {
    if (isLate(request, now, costs)) {
      late.push(request);
      continue;
    }
    const head = first[0];
    if (head !== undefined) {
      if (request.alone || request.group !== head.group) {
        past += 1;
        if (!rules.groups || past > LOOK_PAST) break;
        continue;
      }
      if (rows + request.rows > mostRows) break;
    }
    first.push(request);
    rows += request.rows;
    if (request.alone || rows >= mostRows) break;
  }
  return { first, late };
}

/**
 * The batch that answers the most rows in time for each millisecond it takes: of all sizes by halves, the first in the line
 * that can wait for so many. The oldest are often nearly late, and a batch that is kept small for them makes the next ones
 * late too: under load that ends in batches of one.
 */
function mostInTime(waiting: readonly Request[], largest: number, costs: RunCosts, now: number): Request[] {
  let best = waiting.slice(0, 1);
  let bestRate = 0;
  for (let size = 1; size < largest * 2; size *= 2) {
    const members = inTime(waiting, Math.min(size, largest), costs, now);
    const rows = rowsOf(members);
    const rate = rows / costs.atWorst(rows);
    if (rows === 0 || rate <= bestRate * WORTH_A_LARGER_BATCH) continue;
    best = members;
    bestRate = rate;
  }
  return best;
}

function inTime(waiting: readonly Request[], size: number, costs: RunCosts, now: number): Request[] {
  const end = now + costs.atWorst(size);
  const members: Request[] = [];
  let rows = 0;
  for (const request of waiting) {
    if (request.deadline < end || rows + request.rows > size) continue;
    members.push(request);
    rows += request.rows;
  }
  return members;
}

const rowsOf = (members: readonly Request[]): number => members.reduce((sum, { rows }) => sum + rows, 0);

/** The largest preferred size within what is there; what is left over waits for the next run. */
function cut(members: Request[], rows: number, preferred: readonly number[]): { members: Request[]; rows: number } {
  const size = preferred.findLast((candidate) => candidate <= rows);
  if (size === undefined) return { members, rows };
  let left = rows;
  while (left > size && members.length > 1) left -= (members.pop() as Request).rows;
  return { members, rows: left };
}
