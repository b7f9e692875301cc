/** A guard's numbers as shares or sizes of effect: one unit for all four. */
export interface Measured {
  readonly low: number;
  readonly rate: number;
  readonly high: number;
  readonly limit: number;
}

/** `5%` and `0.2` as 5 and 0.2; undefined for what is no number. */
export function numberOf(text: string): number | undefined {
  const value = Number(text.replace(/%$/, ''));
  return text === '' || Number.isNaN(value) ? undefined : value;
}

/** The scale ends at three times the limit, or where the interval does: far beyond the limit all is the same. */
const scaleOf = ({ high, rate, limit }: Measured): number =>
  limit <= 0 ? Math.max(high, rate, 1e-9) : Math.min(Math.max(high, 1.5 * limit), Math.max(3 * limit, 1.1 * rate));

/**
 * An interval on a line of so many columns, from 0 on the left: `=` where the rate may be, `o` where it was measured,
 * `|` the limit, `>` an interval that goes on beyond the scale. It narrows as requests come.
 */
export function intervalBar(measured: Measured, width: number): string {
  const { low, rate, high, limit } = measured;
  const scale = scaleOf(measured);
  const column = (value: number): number => Math.min(width - 1, Math.max(0, Math.round((value / scale) * (width - 1))));
  const cells: string[] = Array.from({ length: width }, (_, i) => (i >= column(low) && i <= column(high) ? '=' : '.'));
  cells[column(rate)] = 'o';
  if (limit <= scale) cells[column(limit)] = '|';
  if (high > scale) cells[width - 1] = '>';
  return cells.join('');
}
