import type { Request } from './request.ts';
import type { RunCosts } from './runCosts.ts';
import type { WaitingLine } from './waitingLine.ts';

/** Requests of other shapes that a batch looks past for more of its own. */
const LOOK_PAST = 256;

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
 * the batch is full or one more row would make a member late. Takes nothing out of the line.
 */
export function pick(line: WaitingLine, rules: BatchRules, costs: RunCosts, now: number): Picked {
  const members: Request[] = [];
  const late: Request[] = [];
  let rows = 0;
  let soonest = Infinity;
  let past = 0;
  for (let request = line.first(); request !== undefined; request = line.following()) {
    if (isLate(request, now, costs)) {
      late.push(request);
      continue;
    }
    const head = members[0];
    if (head !== undefined) {
      if (request.alone || request.group !== head.group) {
        past += 1;
        if (!rules.groups || past > LOOK_PAST) break;
        continue;
      }
      if (rows + request.rows > rules.maxSize) break;
      if (wouldBeLate(now, rows, request, Math.min(soonest, request.deadline), soonest, costs)) break;
    }
    members.push(request);
    rows += request.rows;
    soonest = Math.min(soonest, request.deadline);
    if (request.alone || rows >= rules.maxSize) break;
  }
  return { ...cut(members, rows, rules.preferredSizes), late };
}

/** Whether one more request may make the batch miss a deadline that it would meet without it. */
function wouldBeLate(
  now: number,
  rows: number,
  request: Request,
  soonest: number,
  soonestWithout: number,
  costs: RunCosts,
): boolean {
  if (soonest === Infinity) return false;
  return now + costs.atWorst(rows + request.rows) > soonest && now + costs.atWorst(rows) <= soonestWithout;
}

/** The largest preferred size within what is there; what is left over waits for the next run. */
function cut(members: Request[], rows: number, preferred: readonly number[]): { members: Request[]; rows: number } {
  const size = preferred.findLast((candidate) => candidate <= rows);
  if (size === undefined) return { members, rows };
  let left = rows;
  while (left > size && members.length > 1) left -= (members.pop() as Request).rows;
  return { members, rows: left };
}
