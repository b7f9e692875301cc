import type { BinnedEvidence } from '@slipway/crds/contract';

/** Counts of one feature in shared memory: its bins, then the four faults. */
export const FAULTS = ['missing', 'nonFinite', 'outOfRange', 'unseen'] as const;

export const binnedWords = (bins: number): number => bins + FAULTS.length;

export const binnedOf = (name: string, words: Float64Array): BinnedEvidence => {
  const bins = words.length - FAULTS.length;
  const [missing = 0, nonFinite = 0, outOfRange = 0, unseen = 0] = words.subarray(bins);
  return { name, counts: Array.from(words.subarray(0, bins)), missing, nonFinite, outOfRange, unseen };
};
