import type { Estimate } from './interval.ts';
import { Z95 } from './normal.ts';

/** Of pairs of yes or no: those where only ours, and only theirs, says yes. */
export interface Discordant {
  readonly ours: number;
  readonly theirs: number;
  readonly pairs: number;
}

/**
 * Difference of two shares of the same examples, by inverting the score test (Tango 1998), of which McNemar's test is the
 * case of no difference. Only discordant pairs carry the difference; without any, the bounds are still apart.
 */
export function pairedDifference({ ours, theirs, pairs }: Discordant, z = Z95): Estimate {
  if (pairs === 0) return { value: Number.NaN, low: -1, high: 1 };
  const value = (ours - theirs) / pairs;
  const score = (delta: number): number => {
    // Share of pairs where only theirs says yes, most likely under the difference `delta`.
    const a = 2 * pairs;
    const b = -ours - theirs + (2 * pairs - ours + theirs) * delta;
    const c = -theirs * delta * (1 - delta);
    const share = (Math.sqrt(Math.max(0, b * b - 4 * a * c)) - b) / (2 * a);
    const variance = pairs * (2 * share + delta * (1 - delta));
    return variance <= 0
      ? ours - theirs === pairs * delta
        ? 0
        : Number.POSITIVE_INFINITY
      : Math.abs(ours - theirs - pairs * delta) / Math.sqrt(variance);
  };
  return { value, low: boundTowards(-1, value, score, z), high: boundTowards(1, value, score, z) };
}

const HALVINGS = 50;

function boundTowards(end: number, value: number, score: (delta: number) => number, z: number): number {
  let [inside, outside] = [value, end];
  for (let i = 0; i < HALVINGS; i++) {
    const delta = (inside + outside) / 2;
    if (score(delta) <= z) inside = delta;
    else outside = delta;
  }
  return inside;
}
