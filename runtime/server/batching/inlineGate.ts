import { bucketOf } from './runCosts.ts';

const BUCKETS = 33;
/** Runs of one size on this thread before they are judged by their mean: until then by the fastest. */
const TRIALS = 8;
const WEIGHT = 0.05;
const OUTLIER = 4;
/** What a first try may cost, and what counts as much too long: limits of the mean times this. */
const FAR = 5;
/** One such run may have met the garbage collector, three among some hundred are the model. */
const STRIKES = 3;
const FORGIVEN_BY_A_GOOD_RUN = 0.01;
/** A run longer than this many limits was no accident. */
const HOPELESS = 100;

/**
 * Whether a run is so short that handing it to another thread costs more than the run: it then blocks the thread that
 * reads the sockets. Judged by size of batch, on what runs of that size took here; a size is first tried when runs
 * elsewhere, or of fewer rows here, promise that it can't take long. `limitMs` bounds the mean.
 */
export class InlineGate {
  readonly #limitMs: number;
  readonly #onStopped: (ms: number) => void;
  readonly #runs = new Uint32Array(BUCKETS);
  readonly #ms = new Float64Array(BUCKETS);
  readonly #fastestAway = new Float64Array(BUCKETS).fill(Infinity);
  #strikes = 0;
  #open: boolean;

  /** `onStopped` is told once, with the milliseconds of the run that closed the gate for good. */
  constructor(limitMs: number, onStopped: (ms: number) => void) {
    this.#limitMs = limitMs;
    this.#onStopped = onStopped;
    this.#open = limitMs > 0;
  }

  allows(rows: number): boolean {
    if (!this.#open) return false;
    const bucket = bucketOf(rows);
    return (this.#runs[bucket] as number) > 0
      ? (this.#ms[bucket] as number) < this.#limitMs
      : this.#promised(bucket, rows) < this.#limitMs * FAR;
  }

  /** A run elsewhere, the hand-over included. */
  ranAway(rows: number, ms: number): void {
    const bucket = bucketOf(rows);
    this.#fastestAway[bucket] = Math.min(this.#fastestAway[bucket] as number, ms);
  }

  /** Whether the CPU time of the next run here is wanted: it costs half a microsecond, so only while there is doubt. */
  get doubts(): boolean {
    return this.#strikes > 0;
  }

  /** A run here; `cpuMs` is what this thread worked for it, so that a busy machine closes no gate. */
  ranHere(rows: number, ms: number, cpuMs: number | undefined): void {
    const bucket = bucketOf(rows);
    const runs = this.#runs[bucket] as number;
    const known = this.#ms[bucket] as number;
    if (runs === 0) this.#ms[bucket] = ms;
    else if (runs < TRIALS) this.#ms[bucket] = Math.min(known, ms);
    else this.#ms[bucket] = known + (Math.min(ms, known * OUTLIER) - known) * WEIGHT;
    this.#runs[bucket] = runs + 1;
    this.#judge(ms, cpuMs);
  }

  /** What a run of this size takes at most, by what is known of others: of more rows as they are, of fewer in proportion. */
  #promised(bucket: number, rows: number): number {
    let least = Infinity;
    for (let i = 1; i < BUCKETS; i += 1) {
      const here = (this.#runs[i] as number) > 0 ? (this.#ms[i] as number) : Infinity;
      const ms = Math.min(here, this.#fastestAway[i] as number);
      const scale = i >= bucket ? 1 : rows / 2 ** (i - 1);
      least = Math.min(least, ms * scale);
    }
    return least;
  }

  #judge(ms: number, cpuMs: number | undefined): void {
    const took = Math.min(ms, cpuMs ?? ms);
    if (took < this.#limitMs * FAR) {
      this.#strikes = Math.max(0, this.#strikes - FORGIVEN_BY_A_GOOD_RUN);
      return;
    }
    this.#strikes += cpuMs === undefined || took < this.#limitMs * HOPELESS ? 1 : STRIKES;
    if (this.#strikes < STRIKES) return;
    this.#open = false;
    this.#onStopped(took);
  }
}
