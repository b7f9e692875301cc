/**
 * A request to stop (SIGTERM). While there is something worth saving it only marks that it was asked, and the work looks
 * at the mark; at any other time it ends the process at once instead of using up the grace period.
 */
export class StopRequest {
  #asked = false;
  #saves = false;
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  get asked(): boolean {
    return this.#asked;
  }

  ask(): void {
    this.#asked = true;
    if (!this.#saves) this.#end();
  }

  /** Runs work that looks at `asked` by itself. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#saves = true;
    try {
      return await work();
    } finally {
      this.#saves = false;
    }
  }
}

/** Thrown by work that was asked to stop, once it has saved what it had. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}
