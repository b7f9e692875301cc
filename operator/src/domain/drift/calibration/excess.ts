import type { Counts } from '../../analysis/confidenceSequence.ts';
import type { CalibrationBin } from '../counts.ts';
import type { Pattern } from './patterns.ts';

/** What labels say against a pattern: hits are wrong answers where it says too sure, and right ones elsewhere. */
export interface Against extends Counts {
  /** Hits that the model's own probabilities lead to expect. */
  readonly expected: number;
}

/** hits − expected is the sum of all gaps, each with the pattern's sign: of all patterns, the raw error is the largest such sum. */
export function against(bins: readonly CalibrationBin[], { signs }: Pattern): Against {
  let [hits, expected, total] = [0, 0, 0];
  bins.forEach(({ n, right, confidence }, bin) => {
    const tooSure = (signs[bin] ?? 1) > 0;
    hits += tooSure ? n - right : right;
    expected += tooSure ? n - confidence : confidence;
    total += n;
  });
  return { hits, expected, total };
}
