/** Shorter pieces are put together as they come: each is an object that takes more memory than its bytes. */
const SHORT = 4096;
const BLOCK = 64 * 1024;

/**
 * A body of unknown length as it comes. Chunks may be of one byte, for which node:http makes a Buffer each: 64 MB of
 * them would take some 10 GB.
 */
export class Pieces {
  readonly #whole: Buffer[] = [];
  #block: Buffer | undefined;
  #filled = 0;

  /** Memory blocks that are held. */
  get count(): number {
    return this.#whole.length + (this.#filled > 0 ? 1 : 0);
  }

  add(piece: Buffer): void {
    if (piece.length >= SHORT) {
      this.#endBlock();
      this.#whole.push(piece);
      return;
    }
    if (this.#block && this.#filled + piece.length > this.#block.length) this.#endBlock();
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK);
    this.#block.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  /** All bytes in their order. */
  whole(): Buffer {
    this.#endBlock();
    return this.#whole.length === 1 ? (this.#whole[0] as Buffer) : Buffer.concat(this.#whole);
  }

  /** What is left of a block is used on, so that short and long pieces by turns do not take a block each. */
  #endBlock(): void {
    const block = this.#block;
    if (!block || this.#filled === 0) return;
    this.#whole.push(block.subarray(0, this.#filled));
    const rest = block.subarray(this.#filled);
    this.#block = rest.length >= SHORT ? rest : undefined;
    this.#filled = 0;
  }
}
