import { bucketOf } from './runCosts.ts';

const BUCKETS = 33;
/** Runs of one size here before they are judged: the first ones are cold. */
const TRIALS = 8;
/** A size that was a little too slow is tried again after this many runs of it elsewhere: perhaps the machine was busy. */
const TRIED_AGAIN = 200;
/** How fast the fastest recent run is forgotten: slower ones double it in 35 runs. A busy machine has some fast ones. */
const FORGOTTEN = 1.02;
/** What a trial may take, times the limit: promises are far too high (see #promised), and first runs cold. */
const FIRST_TRY = 20;
/**
 * When the mean of all runs here reaches so many limits, the gate shuts. The mean of some sixty, each counted as a hundred
 * limits at most: the neighbours of a busy machine, a CPU quota that is used up and the garbage collector stop single runs
 * for milliseconds, and wall time can't tell them from the model.
 */
const TOO_MANY = 5;
const WEIGHT = 1 / 64;
const MOST = 100;
/** How long it stays shut: twice as long each time, and again the shortest after as long as the longest without. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;

/**
 * Whether a run is so short that handing it to another thread costs more than the run: it then blocks the thread that
 * reads the sockets. Judged by size of batch, on what runs of that size took here; a size is first tried when runs
 * elsewhere, or of fewer rows here, promise that it can't take long. What a run takes is what the fastest of the recent
 * ones took: the others met a neighbour or the garbage collector.
 */
export class InlineGate {
  readonly #limitMs: number;
  readonly #onStopped: (ms: number) => void;
  readonly #runs = new Uint32Array(BUCKETS);
  readonly #ms = new Float64Array(BUCKETS);
  readonly #refused = new Uint32Array(BUCKETS);
  readonly #fastestAway = new Float64Array(BUCKETS).fill(Infinity);
  #mean = 0;
  #shutUntil = -Infinity;
  #pauseMs = FIRST_PAUSE_MS;

  /** `onStopped` is told whenever the gate shuts for a while: milliseconds of the last run here. */
  constructor(limitMs: number, onStopped: (ms: number) => void) {
    this.#limitMs = limitMs;
    this.#onStopped = onStopped;
  }

  allows(rows: number, now: number): boolean {
    if (this.#limitMs === 0 || now < this.#shutUntil) return false;
    const bucket = bucketOf(rows);
    const trial = (this.#runs[bucket] as number) < TRIALS;
    if (trial && this.#promised(bucket, rows) < this.#limitMs * FIRST_TRY) return true;
    const ms = trial ? Infinity : (this.#ms[bucket] as number);
    if (ms < this.#limitMs) return true;
    if (ms >= this.#limitMs * FIRST_TRY) return false;
    this.#refused[bucket] = (this.#refused[bucket] as number) + 1;
    return (this.#refused[bucket] as number) % TRIED_AGAIN === 0;
  }

  /** A run elsewhere, the hand-over included. */
  ranAway(rows: number, ms: number): void {
    const bucket = bucketOf(rows);
    this.#fastestAway[bucket] = Math.min(this.#fastestAway[bucket] as number, ms);
  }

  /** A run here that ended now. */
  ranHere(rows: number, ms: number, now: number): void {
    const bucket = bucketOf(rows);
    const runs = this.#runs[bucket] as number;
    const known = this.#ms[bucket] as number;
    this.#ms[bucket] = runs === 0 ? ms : Math.min(ms, known * FORGOTTEN);
    this.#runs[bucket] = runs + 1;
    if (runs >= TRIALS) this.#judge(ms, now);
  }

  /**
   * What a run of this size takes at most, by what is known of others: of more rows as they are, of fewer in proportion.
   * A run elsewhere seems to last until this thread has read the requests of another batch, and 32 rows of a small
   * model take little longer than one.
   */
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

  #judge(ms: number, now: number): void {
    this.#mean += (Math.min(ms, this.#limitMs * MOST) - this.#mean) * WEIGHT;
    if (this.#mean < this.#limitMs * TOO_MANY) return;
    this.#mean = 0;
    if (now - this.#shutUntil > LONGEST_PAUSE_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#shutUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#onStopped(ms);
  }
}
