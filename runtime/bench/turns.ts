import { quantile } from './ratios.ts';
import type { SteadyCaller } from './steadyCaller.ts';

/** Requests in a row to one of the two models. The slowest of them is their 99th percentile. */
const TURN = 100;

/** Latencies, ms, of one turn to each of two models right after each other. */
export interface PairOfTurns {
  readonly plain: Float64Array;
  readonly copied: Float64Array;
}

/**
 * Asks two models by turns of a hundred requests, in a new order for each pair, so that whatever else the machine does
 * falls on both alike. `copied` is the number of the path (0 or 1) of the model whose requests are copied.
 */
export async function pairsOfTurns(caller: SteadyCaller, pairs: number, rate: number, copied: 0 | 1) {
  const firsts = Array.from({ length: pairs }, () => (Math.random() < 0.5 ? 0 : 1));
  const pathOf = (sent: number) => (Math.floor(sent / TURN) % 2) ^ (firsts[Math.floor(sent / (2 * TURN))] as number);
  const latencies = await caller.during((pairs * 2 * TURN * 1000) / rate, rate, pathOf);
  return firsts.map((first, pair): PairOfTurns => {
    const [one, two] = [0, 1].map((turn) => latencies.subarray((2 * pair + turn) * TURN, (2 * pair + turn + 1) * TURN));
    const turns = { 0: one as Float64Array, 1: two as Float64Array };
    return first === copied ? { copied: turns[0], plain: turns[1] } : { copied: turns[1], plain: turns[0] };
  });
}

/**
 * By how much copying moves quantile `q` of a turn, per cent: the median of all pairs, and its 95 % interval by ranks (that of
 * a binomial). A median, for a host that takes the processor away for milliseconds is in a third of all turns, in either kind
 * alike, and would say in a mean how often it did so.
 */
export function moved(pairs: readonly PairOfTurns[], q: number) {
  const ratios = pairs
    .map(({ plain, copied }) => quantile([...copied], q) / quantile([...plain], q))
    .toSorted((a, b) => a - b);
  const spread = 0.98 * Math.sqrt(ratios.length);
  const at = (rank: number) => {
    const ratio = ratios[Math.min(ratios.length - 1, Math.max(0, Math.round(rank)))] as number;
    return Number(((ratio - 1) * 100).toFixed(2));
  };
  const middle = (ratios.length - 1) / 2;
  return { by: at(middle), low: at(middle - spread), high: at(middle + spread) };
}

/** Quantile `q` of all requests of a kind, milliseconds. */
export const together = (pairs: readonly PairOfTurns[], kind: keyof PairOfTurns, q: number): number =>
  quantile(
    pairs.flatMap((pair) => [...pair[kind]]),
    q,
  );
