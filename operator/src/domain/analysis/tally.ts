/** Copies of live requests that came for a second opinion, by outcome. They are in no other counter. */
export interface Copies {
  readonly ok: number;
  readonly clientError: number;
  readonly serverError: number;
  /** Of those that were served: answers with a value that no caller can use. */
  readonly invalid: number;
}
export const noCopies: Copies = { ok: 0, clientError: 0, serverError: 0, invalid: 0 };

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
  /** Served answers with a value that no caller can use. */
  readonly invalid: number;
  /** Served requests by latency: one count for each of LATENCY_BOUNDS_MS and one beyond; empty: none was served. */
  readonly latency: readonly number[];
  /** Labelled answers. */
  readonly right: number;
  readonly wrong: number;
  readonly copies: Copies;
  /** For rates that the pods do not batch themselves: by rateKey. */
  readonly batches: Readonly<Record<string, Batches>>;
}

/**
 * Dispersion of a rate over the times between two polls: how many had at least one question, and the sum over them of
 * hits²/total. With H hits of N over all: φ = (squaredOverTotal − H²/N) / ((count − 1)·p·(1 − p)), p = H/N.
 */
export interface Batches {
  readonly count: number;
  readonly squaredOverTotal: number;
}
export const noBatches: Batches = { count: 0, squaredOverTotal: 0 };

/** Names of the rates in `batches`. */
export const rateKey = {
  slower: (thresholdMs: number): string => `slower/${thresholdMs}`,
  invalid: 'invalid',
  wrong: 'wrong',
  copyErrors: 'copies/errors',
  copyInvalid: 'copies/invalid',
} as const;

export const noRequests: Tally = {
  ok: 0,
  clientError: 0,
  serverError: 0,
  shed: 0,
  batchSeconds: 0,
  failedSquaredOverServed: 0,
  invalid: 0,
  latency: [],
  right: 0,
  wrong: 0,
  copies: noCopies,
  batches: {},
};

type Combination = (x: number, y: number) => number;

/** A loop, as a rehearsal adds up histograms for each second of hundreds of rollouts. */
function combineLists(a: readonly number[], b: readonly number[], of: Combination): readonly number[] {
  const combined: number[] = [];
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i += 1) combined.push(of(a[i] ?? 0, b[i] ?? 0));
  return combined;
}

const combineBatches = (a: Tally['batches'], b: Tally['batches'], of: Combination): Tally['batches'] =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => {
      const [x, y] = [a[key] ?? noBatches, b[key] ?? noBatches];
      return [key, { count: of(x.count, y.count), squaredOverTotal: of(x.squaredOverTotal, y.squaredOverTotal) }];
    }),
  );

const combineCopies = (a: Copies, b: Copies, of: Combination): Copies => ({
  ok: of(a.ok, b.ok),
  clientError: of(a.clientError, b.clientError),
  serverError: of(a.serverError, b.serverError),
  invalid: of(a.invalid, b.invalid),
});

const combine = (a: Tally, b: Tally, of: Combination): Tally => ({
  ok: of(a.ok, b.ok),
  clientError: of(a.clientError, b.clientError),
  serverError: of(a.serverError, b.serverError),
  shed: of(a.shed, b.shed),
  batchSeconds: of(a.batchSeconds, b.batchSeconds),
  failedSquaredOverServed: of(a.failedSquaredOverServed, b.failedSquaredOverServed),
  invalid: of(a.invalid, b.invalid),
  latency: combineLists(a.latency, b.latency, of),
  right: of(a.right, b.right),
  wrong: of(a.wrong, b.wrong),
  copies: combineCopies(a.copies, b.copies, of),
  batches: combineBatches(a.batches, b.batches, of),
});

export const plus = (a: Tally, b: Tally): Tally => combine(a, b, (x, y) => x + y);

/** What came after an earlier reading. Floored at 0: a counter that a faulty pod set back is no negative request. */
export const since = (now: Tally, before: Tally): Tally => combine(now, before, (x, y) => Math.max(0, x - y));

/** Requests that reached the pods, whatever became of them. */
export const requestsOf = ({ ok, clientError, serverError, shed }: Tally): number =>
  ok + clientError + serverError + shed;
