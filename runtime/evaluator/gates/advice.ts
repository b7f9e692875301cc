import type { Estimate } from '../intervals/interval.ts';
import type { Bound } from './verdict.ts';

/** More examples than this nobody labels: say that the value lies at the limit instead. */
const MOST = 100_000_000;

/**
 * What would decide an undecided gate. An interval shrinks with the square root of its sample, so the bound that is in
 * the way clears the limit at about n · (reach / distance)², if the value stays what it is.
 */
export function advice({ value, low, high }: Estimate, limit: number, bound: Bound, n: number): string {
  const isGood = bound === 'min' ? value >= limit : value <= limit;
  const lower = (bound === 'min') === isGood;
  const reach = lower ? value - low : high - value;
  const wanted = n * (reach / Math.abs(value - limit)) ** 2;
  if (!(wanted < MOST)) return 'the value lies at the limit, which no number of held-out examples will settle';
  return `about ${Math.max(n + 1, twoDigits(wanted)).toLocaleString('en')} held-out examples would decide`;
}

/** Rounded up: an estimate that promises too little is no help. */
function twoDigits(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.ceil(value / unit) * unit;
}
