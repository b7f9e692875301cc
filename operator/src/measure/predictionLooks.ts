import type { BinnedEvidence } from '@slipway/crds/contract';

/** Rows of the smaller side at the first look. Each further look comes at twice the rows of the one before. */
const FIRST_LOOK = 100;
/** What is kept of one process. A model with more outputs is judged by the first ones. */
const MOST_PREDICTIONS = 64;
const MOST_BINS = 4096;

/** Counts by bin, by name of the prediction. */
export type Bins = ReadonlyMap<string, readonly number[]>;
export const NO_BINS: Bins = new Map();

/** A look as each side counted it, in bins of its own. */
export interface RawLook {
  /** Counted from 1. */
  readonly look: number;
  readonly candidate: Bins;
  readonly stable: Bins;
}

/** The predictions of a document, as far as they are kept. */
export function binsOf(predictions: readonly BinnedEvidence[] = []): Bins {
  let room = MOST_BINS;
  const kept = predictions.slice(0, MOST_PREDICTIONS).filter(({ counts }) => {
    room -= counts.length;
    return room >= 0;
  });
  return new Map(kept.map(({ name, counts }) => [name, counts]));
}

interface Growth {
  /** What was counted since the earlier report. */
  readonly grown: Bins;
  /** What the next report is held against. */
  readonly latest: Bins;
}

/**
 * Two reports of the same process. A prediction with a count that was set back tells nothing until it has grown past
 * where it was: taken from its new zero, the same rows would count twice.
 */
export function growthOf(now: Bins, before: Bins): Growth {
  const fits = (counts: readonly number[], old: readonly number[] | undefined): boolean =>
    old === undefined || (old.length === counts.length && counts.every((count, i) => count >= (old[i] ?? 0)));
  const sound = [...now].filter(([name, counts]) => fits(counts, before.get(name)));
  return {
    grown: new Map(sound.map(([name, counts]) => [name, counts.map((n, i) => n - (before.get(name)?.[i] ?? 0))])),
    latest: new Map([...before, ...sound]),
  };
}

const rowsOf = (bins: Bins): number =>
  Math.max(0, ...[...bins.values()].map((counts) => counts.reduce((a, b) => a + b, 0)));

function addTo(sums: Map<string, number[]>, bins: Bins): void {
  for (const [name, counts] of bins) {
    const sum = sums.get(name) ?? new Array<number>(counts.length).fill(0);
    if (sum.length !== counts.length) continue;
    sums.set(
      name,
      sum.map((count, i) => count + (counts[i] ?? 0)),
    );
  }
}

/**
 * Predictions of two versions since the candidate made its first, frozen at looks at doubling numbers of rows: between
 * looks nothing changes, so a test at each look's share of the risk holds however often it is asked (docs of
 * PredictionLook). What stable predicted before the candidate did came from other traffic and counts on neither side.
 */
export class PredictionLooks {
  readonly #candidate = new Map<string, number[]>();
  readonly #stable = new Map<string, number[]>();
  #pass: { candidate: Bins[]; stable: Bins[] } = { candidate: [], stable: [] };
  #look: RawLook | undefined;

  add(side: 'candidate' | 'stable', bins: Bins): void {
    this.#pass[side].push(bins);
  }

  closePass(): void {
    const { candidate, stable } = this.#pass;
    this.#pass = { candidate: [], stable: [] };
    for (const bins of candidate) addTo(this.#candidate, bins);
    if (rowsOf(this.#candidate) > 0) for (const bins of stable) addTo(this.#stable, bins);
    const rows = Math.min(rowsOf(this.#candidate), rowsOf(this.#stable));
    const look = rows < FIRST_LOOK ? 0 : Math.floor(Math.log2(rows / FIRST_LOOK)) + 1;
    if (look > (this.#look?.look ?? 0)) {
      this.#look = { look, candidate: new Map(this.#candidate), stable: new Map(this.#stable) };
    }
  }

  look(): RawLook | undefined {
    return this.#look;
  }
}
