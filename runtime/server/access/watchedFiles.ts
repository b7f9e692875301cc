import { readFile, stat } from 'node:fs/promises';
import { sentenceOf } from '../../artifact/failure.ts';

export interface Watch {
  readonly paths: readonly string[];
  /** Takes the contents, in the order of the paths, into use. Throws when they are no good: what is in use stays. */
  readonly use: (contents: readonly string[]) => void;
  /** Told once of each state of the files that could not be used. */
  readonly onFailure: (sentence: string) => void;
}

/**
 * Files that are swapped under a running server: Secrets. They are looked at again and again by path, since the
 * kubelet swaps a symbolic link and a watch on the file itself would never hear of it. Files that belong together (a
 * certificate and its key) can be caught in the middle of a swap; they are then refused by `use` and taken at a later
 * look.
 */
export class WatchedFiles {
  readonly #watch: Watch;
  #inUse = '';
  #refused = '';
  #looking = false;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** Reads and uses the files. Throws what `use` or the file system throws. */
  async start(): Promise<void> {
    const { state, contents } = await this.#read();
    this.#watch.use(contents);
    this.#inUse = state;
  }

  /** Takes the files into use again if they changed. Never throws. A look while another one runs does nothing. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#takeChange();
    } finally {
      this.#looking = false;
    }
  }

  async #takeChange(): Promise<void> {
    let state = 'unreadable';
    try {
      state = await this.#state();
      if (state === this.#inUse) return;
      const read = await this.#read();
      state = read.state;
      this.#watch.use(read.contents);
      this.#inUse = state;
      this.#refused = '';
    } catch (error) {
      if (state === this.#refused) return;
      this.#refused = state;
      this.#watch.onFailure(sentenceOf(error));
    }
  }

  /** The state is that from before the reading: a swap during it is then seen as a change at the next look. */
  async #read(): Promise<{ state: string; contents: string[] }> {
    const state = await this.#state();
    return { state, contents: await Promise.all(this.#watch.paths.map((path) => readFile(path, 'utf8'))) };
  }

  async #state(): Promise<string> {
    const states = await Promise.all(this.#watch.paths.map((path) => stat(path, { bigint: true })));
    return states.map(({ dev, ino, size, mtimeNs }) => `${dev}:${ino}:${size}:${mtimeNs}`).join(' ');
  }
}
