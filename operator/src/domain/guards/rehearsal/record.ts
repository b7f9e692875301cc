/** What one version counted in an interval of recorded traffic. Whole numbers. */
export interface Counted {
  /** Requests that reached it, refused ones included. */
  readonly total: number;
  /** Of those, with a 5xx or refused under load. */
  readonly bad: number;
  /** Answers with a value that no caller can use. */
  readonly invalid: number;
  /** Answers slower than so many milliseconds. A threshold that is not here was not recorded. */
  readonly slower: Readonly<Record<string, number>>;
  /** Late labels. */
  readonly right: number;
  readonly wrong: number;
}

export interface Interval extends Counted {
  /** Beginning, milliseconds since 1970. */
  readonly at: number;
  readonly seconds: number;
}

/**
 * Recorded traffic, oldest interval first. Of a service as a whole there is `stable` alone; of a rollout there is a
 * `candidate` as well, and its intervals are told apart by time.
 */
export interface Recording {
  readonly stable: readonly Interval[];
  readonly candidate: readonly Interval[];
}

export const NOTHING: Counted = { total: 0, bad: 0, invalid: 0, slower: {}, right: 0, wrong: 0 };

type Field = Exclude<keyof Counted, 'slower'>;
const FIELDS: readonly Field[] = ['total', 'bad', 'invalid', 'right', 'wrong'];

const mapped = (counted: Counted, of: (count: number) => number): Counted => ({
  ...(Object.fromEntries(FIELDS.map((field) => [field, of(counted[field])])) as unknown as Counted),
  slower: Object.fromEntries(Object.entries(counted.slower).map(([ms, count]) => [ms, of(count)])),
});

/**
 * The seconds of an interval: what happened within it is not known, so it is spread evenly, and rounded so that the
 * seconds add up to it.
 */
function secondsOf(interval: Interval): readonly Counted[] {
  const seconds = Math.max(1, Math.round(interval.seconds));
  return Array.from({ length: seconds }, (_, i) =>
    mapped(interval, (count) => Math.round((count * (i + 1)) / seconds) - Math.round((count * i) / seconds)),
  );
}

/** One entry a second from `from` on; a gap in the record is seconds in which nothing was asked. */
export function timeline(intervals: readonly Interval[], from: number): readonly Counted[] {
  const all: Counted[] = [];
  for (const interval of intervals) {
    const start = Math.round((interval.at - from) / 1000);
    while (all.length < start) all.push(NOTHING);
    all.push(...secondsOf(interval));
  }
  return all;
}

export const beginningOf = ({ stable, candidate }: Recording): number =>
  Math.min(stable[0]?.at ?? Number.POSITIVE_INFINITY, candidate[0]?.at ?? Number.POSITIVE_INFINITY);

/** Thresholds that every interval of a record tells of, in milliseconds. */
export function thresholdsIn({ stable, candidate }: Recording): readonly number[] {
  const all = [...stable, ...candidate];
  return Object.keys(all[0]?.slower ?? {})
    .filter((ms) => all.every(({ slower }) => slower[ms] !== undefined))
    .map(Number);
}

/** So many of `total` taken without putting back: how many of the marked ones are among them. */
function among(total: number, marked: number, taken: number, uniform: () => number): number {
  let [left, hits] = [Math.min(marked, total), 0];
  for (let i = 0; i < taken && left > 0; i += 1) {
    if (uniform() >= left / (total - i)) continue;
    hits += 1;
    left -= 1;
  }
  return hits;
}

/** Parts a second as a split of so much of the traffic would have: each request goes to the one or to the other. */
export function parted(second: Counted, share: number, uniform: () => number): readonly [Counted, Counted] {
  const whole = Math.floor(second.total * share + uniform());
  const taken = Math.min(second.total, whole);
  const of = (marked: number): number => among(second.total, marked, taken, uniform);
  const labelled = second.right + second.wrong;
  const told = Math.min(labelled, Math.floor(labelled * share + uniform()));
  const wrong = among(labelled, second.wrong, told, uniform);
  const one: Counted = {
    total: taken,
    bad: of(second.bad),
    invalid: of(second.invalid),
    slower: Object.fromEntries(Object.entries(second.slower).map(([ms, count]) => [ms, of(count)])),
    right: told - wrong,
    wrong,
  };
  const rest: Counted = {
    total: second.total - one.total,
    bad: second.bad - one.bad,
    invalid: second.invalid - one.invalid,
    slower: Object.fromEntries(Object.entries(second.slower).map(([ms, n]) => [ms, n - (one.slower[ms] ?? 0)])),
    right: second.right - one.right,
    wrong: second.wrong - one.wrong,
  };
  return [one, rest];
}
