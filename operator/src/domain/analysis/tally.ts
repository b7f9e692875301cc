/**
 * Counters of one revision over some window, added up over its pods. Requests by outcome as in the evidence document;
 * `batchSeconds` and `failedSquaredOverServed` are its per-second batches.
 */
export interface Tally {
  readonly ok: number;
  readonly clientError: number;
  readonly serverError: number;
  readonly shed: number;
  readonly batchSeconds: number;
  readonly failedSquaredOverServed: number;
}

export const noRequests: Tally = {
  ok: 0,
  clientError: 0,
  serverError: 0,
  shed: 0,
  batchSeconds: 0,
  failedSquaredOverServed: 0,
};

const combine = (a: Tally, b: Tally, of: (x: number, y: number) => number): Tally => ({
  ok: of(a.ok, b.ok),
  clientError: of(a.clientError, b.clientError),
  serverError: of(a.serverError, b.serverError),
  shed: of(a.shed, b.shed),
  batchSeconds: of(a.batchSeconds, b.batchSeconds),
  failedSquaredOverServed: of(a.failedSquaredOverServed, b.failedSquaredOverServed),
});

export const plus = (a: Tally, b: Tally): Tally => combine(a, b, (x, y) => x + y);

/** What came after an earlier reading. Floored at 0: a counter that a faulty pod set back is no negative request. */
export const since = (now: Tally, before: Tally): Tally => combine(now, before, (x, y) => Math.max(0, x - y));

/** Requests that reached the pods, whatever became of them. */
export const requestsOf = ({ ok, clientError, serverError, shed }: Tally): number =>
  ok + clientError + serverError + shed;
