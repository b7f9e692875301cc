import { readFileSync } from 'node:fs';

const FRESH_MS = 1000;

/** The admin token as the file says it, at most a second old: a rotated Secret counts without a restart. */
export class AdminToken {
  readonly #file: string | undefined;
  readonly #now: () => number;
  #token = '';
  #readAt = Number.NEGATIVE_INFINITY;

  /** `now`: milliseconds of a clock that never jumps. Without a file there is no token. */
  constructor(file: string | undefined, now: () => number) {
    this.#file = file;
    this.#now = now;
  }

  /** Empty where there is none: that grants nothing. */
  get value(): string {
    if (this.#file !== undefined && this.#now() - this.#readAt >= FRESH_MS) {
      this.#token = textOf(this.#file);
      this.#readAt = this.#now();
    }
    return this.#token;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
