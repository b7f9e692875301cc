import type { Histogram } from './snapshot.ts';

/** Words of a histogram in shared memory: its counts, then its sum. */
export const histogramWords = (bounds: Float64Array): number => bounds.length + 2;

/** Counts a value in the first bin whose upper bound it does not exceed. */
export function observe(bounds: Float64Array, words: Float64Array, value: number): void {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value > (bounds[middle] as number)) low = middle + 1;
    else high = middle;
  }
  words[low] = (words[low] as number) + 1;
  const sum = bounds.length + 1;
  words[sum] = (words[sum] as number) + value;
}

export const histogramOf = (bounds: Float64Array, words: Float64Array): Histogram => ({
  bounds: Array.from(bounds),
  counts: Array.from(words.subarray(0, bounds.length + 1)),
  sum: words[bounds.length + 1] as number,
});

export const countOf = ({ counts }: Histogram): number => counts.reduce((sum, count) => sum + count, 0);
