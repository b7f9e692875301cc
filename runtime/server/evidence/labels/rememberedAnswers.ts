import { IdHash } from './idHash.ts';

export type Verdict = 'right' | 'wrong';

/** A remembered answer: when it was given, what the model predicted and how sure it was, and what its first label said of it. */
export interface Remembered {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly predicted: number;
  /** From 0 to 1, how sure the model was; NaN where it did not tell. In single precision. */
  readonly confidence: number;
  readonly verdict: Verdict | undefined;
}

const VERDICTS: readonly (Verdict | undefined)[] = [undefined, 'right', 'wrong'];
const NONE = -1;
const FIRST_CAPACITY = 1024;

/**
 * The newest answers by the id of their request: a ring in which a new answer takes the place of the oldest, and a hash
 * table with chains over it. Some 40 bytes an answer, none of them an object, so that a million answers cost the
 * garbage collector nothing. Grows as it fills. An id that comes again keeps its slot and stands for its newest answer:
 * a caller that sends one id for ever would otherwise make one chain of the whole ring.
 */
export class RememberedAnswers {
  readonly #most: number;
  readonly #maxAgeMs: number;
  readonly #hash: IdHash;
  #capacity = 0;
  #next = 0;
  #size = 0;
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);
  #at = new Float64Array(0);
  #predicted = new Float64Array(0);
  #confidence = new Float32Array(0);
  #verdict = new Uint8Array(0);
  /** Slot of the next older answer in the same bucket. */
  #older = new Int32Array(0);
  #newest = new Int32Array(0);

  constructor(most: number, maxAgeMs: number, random: () => number) {
    this.#most = most;
    this.#maxAgeMs = maxAgeMs;
    this.#hash = new IdHash(random);
  }

  get size(): number {
    return this.#size;
  }

  remember(id: string, predicted: number, confidence: number, now: number): void {
    if (this.#most === 0) return;
    this.#hash.take(id);
    const slot = this.#slotOfHash() ?? this.#takeSlot();
    this.#at[slot] = now;
    this.#predicted[slot] = predicted;
    this.#confidence[slot] = confidence;
    this.#verdict[slot] = 0;
  }

  /** Undefined for an id that is not remembered, or not any more. */
  find(id: string, now: number): Remembered | undefined {
    const slot = this.#slotOf(id, now);
    if (slot === undefined) return undefined;
    return {
      at: this.#at[slot] as number,
      predicted: this.#predicted[slot] as number,
      confidence: this.#confidence[slot] as number,
      verdict: VERDICTS[this.#verdict[slot] as number],
    };
  }

  /** Notes what the first label said. */
  judge(id: string, verdict: Verdict, now: number): void {
    const slot = this.#slotOf(id, now);
    if (slot !== undefined) this.#verdict[slot] = VERDICTS.indexOf(verdict);
  }

  #slotOf(id: string, now: number): number | undefined {
    this.#hash.take(id);
    const slot = this.#slotOfHash();
    return slot !== undefined && now - (this.#at[slot] as number) <= this.#maxAgeMs ? slot : undefined;
  }

  #slotOfHash(): number | undefined {
    if (this.#capacity === 0) return undefined;
    const { high, low } = this.#hash;
    let slot = this.#newest[low & (this.#newest.length - 1)] as number;
    while (slot !== NONE && (this.#high[slot] !== high || this.#low[slot] !== low)) slot = this.#older[slot] as number;
    return slot === NONE ? undefined : slot;
  }

  /** The slot of the oldest answer, now that of the id just hashed. */
  #takeSlot(): number {
    if (this.#size === this.#capacity && this.#capacity < this.#most) this.#grow();
    const slot = this.#next;
    if (this.#size === this.#capacity) this.#unlink(slot);
    else this.#size += 1;
    this.#next = (slot + 1) % this.#capacity;
    this.#high[slot] = this.#hash.high;
    this.#low[slot] = this.#hash.low;
    this.#link(slot);
    return slot;
  }

  #link(slot: number): void {
    const bucket = (this.#low[slot] as number) & (this.#newest.length - 1);
    this.#older[slot] = this.#newest[bucket] as number;
    this.#newest[bucket] = slot;
  }

  /** The slot holds the oldest answer of all, hence the end of its chain. */
  #unlink(slot: number): void {
    const bucket = (this.#low[slot] as number) & (this.#newest.length - 1);
    let at = this.#newest[bucket] as number;
    if (at === slot) {
      this.#newest[bucket] = NONE;
      return;
    }
    while (this.#older[at] !== slot) at = this.#older[at] as number;
    this.#older[at] = NONE;
  }

  /** Only before the ring has come round for the first time, so that slots stay where they are. */
  #grow(): void {
    const capacity = Math.min(this.#most, Math.max(FIRST_CAPACITY, this.#capacity * 2));
    this.#high = enlarged(this.#high, new Uint32Array(capacity));
    this.#low = enlarged(this.#low, new Uint32Array(capacity));
    this.#at = enlarged(this.#at, new Float64Array(capacity));
    this.#predicted = enlarged(this.#predicted, new Float64Array(capacity));
    this.#confidence = enlarged(this.#confidence, new Float32Array(capacity));
    this.#verdict = enlarged(this.#verdict, new Uint8Array(capacity));
    this.#older = new Int32Array(capacity);
    this.#newest = new Int32Array(2 ** Math.ceil(Math.log2(capacity))).fill(NONE);
    this.#capacity = capacity;
    this.#next = this.#size;
    for (let slot = 0; slot < this.#size; slot++) this.#link(slot);
  }
}

function enlarged<Words extends { set(words: ArrayLike<number>): void } & ArrayLike<number>>(
  words: Words,
  room: Words,
): Words {
  room.set(words);
  return room;
}
