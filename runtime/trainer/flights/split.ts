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

/** Rows fit 22 bits, so a row and 31 bits of its hash fit one double, and numbers sort far faster than objects. */
const ROW_LIMIT = 2 ** 22;

/**
 * `limit` of the rows (all when fewer), drawn by the seed and in the order drawn: a prefix is itself a fair sample.
 * Rows are whole numbers below 4,194,304.
 */
export function sampleRows(rows: readonly number[], limit: number, seed: number): readonly number[] {
  const below = likelyBound(rows.length, limit);
  const few = keysOf(rows, seed, below);
  // Which keys are lowest is chance: where too few lay below the bound, all are sorted.
  const keyed = few.length >= Math.min(limit, rows.length) ? few : keysOf(rows, seed, HASH_LIMIT);
  return Array.from(keyed.sort().subarray(0, limit), (key) => key % ROW_LIMIT);
}

const HASH_LIMIT = 2 ** 31;

/** Below which hash `limit` of the rows lie, five standard deviations of a draw added: to sort three million for a thousand costs more than to train on them. */
const likelyBound = (count: number, limit: number): number =>
  HASH_LIMIT * Math.min(1, (limit + 5 * Math.sqrt(limit) + 10) / Math.max(1, count));

function keysOf(rows: readonly number[], seed: number, below: number): Float64Array {
  const keys: number[] = [];
  for (const row of rows) {
    const hash = mixRow(row, seed) >>> 1;
    if (hash < below) keys.push(hash * ROW_LIMIT + row);
  }
  return Float64Array.from(keys);
}
