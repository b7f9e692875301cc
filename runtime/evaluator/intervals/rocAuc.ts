import type { Estimate } from './interval.ts';
import { Z95 } from './normal.ts';

const HALVINGS = 50;

/**
 * Interval of the area under the ROC curve by inverting its score test (Newcombe 2006, method 5): the bounds are the
 * areas that lie z standard errors from the one observed, each with the variance that it would have itself (Hanley and
 * McNeil 1982). A sample that is separated perfectly does not get the bound 1, as resampling it would say.
 */
export function rocAucInterval(value: number, positives: number, negatives: number, z = Z95): Estimate {
  if (positives === 0 || negatives === 0) return { value: Number.NaN, low: 0, high: 1 };
  const middle = (positives + negatives) / 2 - 1;
  const errorAt = (area: number): number =>
    Math.sqrt(
      (area * (1 - area) * (1 + middle * ((1 - area) / (2 - area) + area / (1 + area)))) / (positives * negatives),
    );
  const farthest = (end: 0 | 1): number => {
    let [inside, outside] = [value, end as number];
    if (Math.abs(end - value) <= z * errorAt(end)) return end;
    for (let i = 0; i < HALVINGS; i++) {
      const area = (inside + outside) / 2;
      if (Math.abs(area - value) <= z * errorAt(area)) inside = area;
      else outside = area;
    }
    return inside;
  };
  return { value, low: farthest(0), high: farthest(1) };
}
