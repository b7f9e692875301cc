/**
 * Traffic whose rate varies from second to second, and is the same on average. Each function gives the rate of the next
 * second. Named for people: the tables of docs/statistics.md show these names.
 */
export type Seconds = () => number;
export type Traffic = (uniform: () => number, rate: number) => Seconds;

/** Marsaglia & Tsang 2000; below 1 lifted by u^(1/shape). */
function gamma(uniform: () => number, shape: number): number {
  if (shape < 1) return gamma(uniform, shape + 1) * (uniform() || Number.MIN_VALUE) ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    const v = (1 + normal / (3 * Math.sqrt(d))) ** 3;
    if (v > 0 && Math.log(1 - uniform()) < (normal * normal) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** The rate of each second is Beta distributed: two requests of one second are correlated by `correlation`. */
const betaBinomial =
  (correlation: number): Traffic =>
  (uniform, rate) => {
    const size = 1 / correlation - 1;
    return () => {
      const [hits, misses] = [gamma(uniform, rate * size), gamma(uniform, (1 - rate) * size)];
      return hits + misses > 0 ? hits / (hits + misses) : 0;
    };
  };

/**
 * Good and bad times: a tenth of the time is bad and fails `factor` times as often as the rest, and a bad time lasts
 * `seconds` on average. One second: every second is drawn anew.
 */
const badTimes =
  (factor: number, seconds: number): Traffic =>
  (uniform, rate) => {
    const few = rate / (0.9 + 0.1 * factor);
    // More than all can't fail: at a high rate the rest makes up for what a bad time can't hold.
    const good = few * factor > 1 ? (rate - 0.1) / 0.9 : few;
    let bad = uniform() < 0.1;
    return () => {
      const now = bad ? Math.min(1, good * factor) : good;
      if (seconds === 1) bad = uniform() < 0.1;
      else bad = bad ? uniform() >= 1 / seconds : uniform() < 1 / seconds / 9;
      return now;
    };
  };

/** Half of the failures come in seconds in which everything fails. */
const failingSeconds: Traffic = (uniform, rate) => {
  const rest = rate / 2 / (1 - rate / 2);
  return () => (uniform() < rate / 2 ? 1 : rest);
};

/** What the promise of a false alarm is made for. */
export const PROMISED = {
  independent: (_uniform, rate) => () => rate,
  'overdispersed: correlation 0.05 within a second': betaBinomial(0.05),
  'bursts: a tenth of the seconds, 10 times the rest': badTimes(10, 1),
  'correlated: bad times of 2 s, 3 times the rest': badTimes(3, 2),
} as const satisfies Readonly<Record<string, Traffic>>;

/** Worse than promised, to show what happens then. */
export const BEYOND = {
  'overdispersed: correlation 0.2 within a second': betaBinomial(0.2),
  'correlated: bad times of 10 s, 5 times the rest': badTimes(5, 10),
  'seconds in which all fail have half the failures': failingSeconds,
} as const satisfies Readonly<Record<string, Traffic>>;

/** How many of `total` are hits, by the gaps between them. */
export function drawn(uniform: () => number, total: number, rate: number): number {
  if (rate <= 0) return 0;
  if (rate >= 1) return total;
  const logMiss = Math.log1p(-rate);
  let hits = 0;
  for (let at = Math.floor(Math.log(1 - uniform()) / logMiss); at < total; hits += 1) {
    at += 1 + Math.floor(Math.log(1 - uniform()) / logMiss);
  }
  return hits;
}
