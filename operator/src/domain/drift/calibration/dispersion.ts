import type { CalibrationBin } from '../counts.ts';
import { RateDispersion } from '../rateDispersion.ts';
import { against } from './excess.ts';
import { PATTERNS } from './patterns.ts';

/**
 * How much less than independent ones labels are worth, for each pattern: labels about one customer may be wrong together in
 * some bins and right together in others, which a sum over all bins would hide.
 */
export class CalibrationDispersion {
  readonly #of = PATTERNS.map(() => new RateDispersion());

  /** Takes down the bins of the next complete slot. */
  add(bins: readonly CalibrationBin[]): void {
    PATTERNS.forEach((pattern, i) => {
      this.#of[i]?.add(against(bins, pattern));
    });
  }

  /**
   * Design effects in the order of PATTERNS, each for a test at its share of `alpha`; `alpha` 1: as estimated. undefined:
   * fewer than two slots had labels. A pattern that saw hits only, or none, shows no clumps: it has the largest of the others.
   */
  at(alpha: number): readonly number[] | undefined {
    const effects = PATTERNS.flatMap(({ share }, i) => this.#of[i]?.at(alpha === 1 ? 1 : alpha * share) ?? []);
    if (effects.length < PATTERNS.length) return undefined;
    const most = Math.max(1, ...effects.filter((_, i) => this.#of[i]?.varies));
    return effects.map((effect, i) => (this.#of[i]?.varies ? effect : Math.max(effect, most)));
  }
}
