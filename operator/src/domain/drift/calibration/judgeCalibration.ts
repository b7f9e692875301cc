import { type CalibrationBin, type Counts, NO_BINS } from '../counts.ts';
import { calibrationDetail } from './detail.ts';
import type { CalibrationDispersion } from './dispersion.ts';
import { type CalibrationError, calibrationError, labelsOf } from './error.ts';

const pooled = (slots: readonly Counts[]): readonly CalibrationBin[] =>
  slots.reduce(
    (bins, { calibration }) =>
      bins.map(({ n, right, confidence }, i) => ({
        n: n + (calibration[i]?.n ?? 0),
        right: right + (calibration[i]?.right ?? 0),
        confidence: confidence + (calibration[i]?.confidence ?? 0),
      })),
    NO_BINS,
  );

export interface CalibrationLook {
  readonly slots: readonly Counts[];
  /** Has seen the slots. */
  readonly dispersion: CalibrationDispersion;
  readonly minSamples: number;
  readonly alpha: number;
}

/** The error of the window and what it is made of; undefined: too few labels, or labels in one slot only. */
export function judgeCalibration(look: CalibrationLook): (CalibrationError & { readonly detail: string }) | undefined {
  const { slots, dispersion, minSamples, alpha } = look;
  const bins = pooled(slots);
  const [bounds, shown] = [dispersion.at(alpha), dispersion.at(1)];
  if (bounds === undefined || labelsOf(bins) < minSamples) return undefined;
  const error = calibrationError(bins, { bounds, shown: shown?.[0] ?? 1 }, alpha);
  return { ...error, detail: calibrationDetail(bins) };
}
