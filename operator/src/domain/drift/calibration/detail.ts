import { CALIBRATION_BINS } from '@slipway/crds/contract';
import { percentText } from '../../guards/percent.ts';
import type { CalibrationBin } from '../counts.ts';
import { labelsOf } from './error.ts';

/** Told as over- or underconfident when so much of the raw error points one way. */
const MOSTLY = 0.5;

const gapOf = ({ right, confidence }: CalibrationBin): number => confidence - right;
const rounded = (share: number): string => percentText(Math.round(share * 1000) / 1000);

function direction(bins: readonly CalibrationBin[]): string {
  const raw = bins.reduce((sum, bin) => sum + Math.abs(gapOf(bin)), 0);
  const bias = bins.reduce((sum, bin) => sum + gapOf(bin), 0);
  if (Math.abs(bias) < MOSTLY * raw) return 'overconfident in some bins and underconfident in others';
  return `${bias >= 0 ? 'over' : 'under'}confident by ${rounded(Math.abs(bias) / labelsOf(bins))}`;
}

const LOWEST = { at: 0, n: 0, right: 0, confidence: 0 };

/** What an error is made of: which way, and the bin with the most of it. One bin at least must hold a label. */
export function calibrationDetail(bins: readonly CalibrationBin[]): string {
  const [{ at, n, right, confidence } = LOWEST] = bins
    .map((bin, at) => ({ ...bin, at }))
    .filter((bin) => bin.n > 0)
    .sort((a, b) => Math.abs(gapOf(b)) - Math.abs(gapOf(a)));
  const range = `${at / CALIBRATION_BINS} to ${(at + 1) / CALIBRATION_BINS}`;
  const labels = Math.round(n).toLocaleString('en-US');
  return `${direction(bins)}, worst from ${range}: ${rounded(confidence / n)} sure, ${rounded(right / n)} right, ${labels} labels`;
}
