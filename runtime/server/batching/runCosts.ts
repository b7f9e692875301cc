const BUCKETS = 33;
/** A run that the machine held up counts as four times the usual at most, so that one hiccup does not refuse requests. */
const OUTLIER = 4;
/** A clock of coarse steps may measure nothing. */
const LEAST_MS = 0.05;
const WEIGHT = 0.2;

/**
 * What a run costs by its number of rows, learnt as runs end: one exponentially weighted mean for each power of two, and
 * straight lines between them. Where nothing is known the answer is the least it can be, because a request refused for
 * a cost that was never measured is never measured either.
 */
export class RunCosts {
  readonly #rows = new Float64Array(BUCKETS);
  readonly #ms = new Float64Array(BUCKETS);
  readonly #samples = new Uint32Array(BUCKETS);
  #highest = 0;

  learn(rows: number, ms: number): void {
    const i = bucketOf(rows);
    const samples = this.#samples[i] as number;
    const known = this.#ms[i] as number;
    const sample = samples === 0 ? ms : Math.min(ms, Math.max(known * OUTLIER, LEAST_MS));
    const weight = Math.max(1 / (samples + 1), WEIGHT);
    this.#ms[i] = known + (sample - known) * weight;
    this.#rows[i] = (this.#rows[i] as number) + (rows - (this.#rows[i] as number)) * weight;
    this.#samples[i] = samples + 1;
    if (known < this.#highest) this.#highest = Math.max(this.#highest, this.#ms[i] as number);
    else this.#highest = Math.max(...this.#ms);
  }

  /** No run is expected to take longer than this. */
  get highest(): number {
    return this.#highest;
  }

  /** Milliseconds, 0 when nothing is known. */
  of(rows: number): number {
    let below = bucketOf(rows);
    let above = below;
    while (below >= 0 && !this.#knows(below, (known) => known <= rows)) below -= 1;
    while (above < BUCKETS && !this.#knows(above, (known) => known >= rows)) above += 1;
    if (below < 0) return above < BUCKETS ? ((this.#ms[above] as number) * rows) / (this.#rows[above] as number) : 0;
    const [fromRows, fromMs] = [this.#rows[below] as number, this.#ms[below] as number];
    if (above >= BUCKETS || above === below) return fromMs;
    const share = (rows - fromRows) / ((this.#rows[above] as number) - fromRows);
    return fromMs + share * ((this.#ms[above] as number) - fromMs);
  }

  #knows(bucket: number, wanted: (rows: number) => boolean): boolean {
    return (this.#samples[bucket] as number) > 0 && wanted(this.#rows[bucket] as number);
  }
}

/** 0, 1, 2–3, 4–7, … */
export const bucketOf = (rows: number): number => 32 - Math.clz32(rows);
