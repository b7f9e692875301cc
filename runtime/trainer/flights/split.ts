/**
 * A fixed, well-mixed 32-bit hash of a row number (the finaliser of MurmurHash3). Everything that must agree on which
 * flights are held out, the trainer today and a load generator tomorrow, computes it from the row alone.
 */
export function mixRow(row: number, seed = 0): number {
  let h = (row ^ Math.imul(seed + 1, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One flight in this many is never trained on. */
const HELD_OUT_ONE_IN = 20;

/** Whether a flight is kept out of training, for evaluation and live traffic. */
export const isHeldOut = (row: number): boolean => mixRow(row) % HELD_OUT_ONE_IN === 0;

/** `limit` of the rows (all when fewer), drawn by the seed and in the order drawn: a prefix is itself a fair sample. */
export function sampleRows(rows: readonly number[], limit: number, seed: number): readonly number[] {
  const keyed = rows.map((row) => ({ row, key: mixRow(row, seed) }));
  return keyed
    .sort((a, b) => a.key - b.key || a.row - b.row)
    .slice(0, limit)
    .map(({ row }) => row);
}
