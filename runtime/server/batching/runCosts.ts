const BUCKETS = 33;
/** A run that the machine held up counts as four times the usual at most, so that one hiccup does not refuse requests. */
const OUTLIER = 4;
/** A clock of coarse steps may measure nothing. */
const LEAST_MS = 0.05;
const WEIGHT = 0.2;
/** What a run takes at least that was ended before its time: so many times what it had lasted. */
const UNFINISHED = 1.5;
/** How far beyond the mean a run may last that is still expected: deviations. */
const DEVIATIONS = 2;

/**
 * What a run costs by its number of rows, learnt as runs end: one exponentially weighted mean for each power of two, and
 * straight lines between them. Where nothing is known the answer is the least it can be, because a request refused for
 * a cost that was never measured is never measured either.
 */
export class RunCosts {
  readonly #rows = new Float64Array(BUCKETS);
  readonly #ms = new Float64Array(BUCKETS);
  readonly #samples = new Uint32Array(BUCKETS);
  /** Whether what is known comes from a run that was ended before its time. */
  readonly #unfinished = new Uint8Array(BUCKETS);
  #highest = 0;
  /** Mean distance of runs from what was expected of them, as a share of that; 1 at most. */
  #deviation = 0;

  learn(rows: number, ms: number): void {
    const i = bucketOf(rows);
    const samples = this.#unfinished[i] === 1 ? 0 : (this.#samples[i] as number);
    const known = this.#ms[i] as number;
    const weight = Math.max(1 / (samples + 1), WEIGHT);
    const sample = samples === 0 ? ms : Math.min(ms, Math.max(known * OUTLIER, LEAST_MS));
    if (samples > 0) this.#surprise(rows, ms);
    this.#ms[i] = known + (sample - known) * weight;
    this.#rows[i] = (this.#rows[i] as number) + (rows - (this.#rows[i] as number)) * weight;
    this.#samples[i] = samples + 1;
    this.#unfinished[i] = 0;
    this.#highest = Math.max(...this.#ms);
  }

  /**
   * A run that was ended before its time had lasted this long. Believed at once, and until a run of this size ends by
   * itself: whoever ends runs because they last too long, and learns nothing from it, starts the next one and ends it too.
   */
  learnUnfinished(rows: number, ms: number): void {
    const least = ms * UNFINISHED;
    if (least <= this.of(rows)) return;
    const i = bucketOf(rows);
    this.#ms[i] = least;
    this.#rows[i] = rows;
    this.#samples[i] = Math.max(1, this.#samples[i] as number);
    this.#unfinished[i] = 1;
    this.#highest = Math.max(...this.#ms);
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

  /** What a run takes that goes less well than most. Of more rows than are known: in proportion. */
  atWorst(rows: number): number {
    let below = BUCKETS - 1;
    while (below >= 0 && this.#samples[below] === 0) below -= 1;
    const most = below < 0 ? rows : (this.#rows[below] as number);
    return this.of(rows) * Math.max(1, rows / most) * (1 + DEVIATIONS * this.#deviation);
  }

  #surprise(rows: number, ms: number): void {
    const expected = Math.max(this.of(rows), LEAST_MS);
    const distance = Math.min(1, Math.abs(ms - expected) / expected);
    this.#deviation += (distance - this.#deviation) * WEIGHT;
  }

  #knows(bucket: number, wanted: (rows: number) => boolean): boolean {
    return (this.#samples[bucket] as number) > 0 && wanted(this.#rows[bucket] as number);
  }
}

/** 0, 1, 2–3, 4–7, … */
export const bucketOf = (rows: number): number => 32 - Math.clz32(rows);
