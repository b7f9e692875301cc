import { type FileHandle, open, rename } from 'node:fs/promises';
import type { Delivery } from '../outbox.ts';

/** Raw requests: nobody but the server's user reads them. */
const MODE = 0o600;

/** Appends lines to a file of `maxBytes` at most; a full one is renamed to <path>.1, over the one before. */
export class RotatingFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** All lines or none. Never rejects: a disk that is full now may not be so later. */
  async append(lines: readonly string[]): Promise<Delivery> {
    const text = Buffer.from(lines.join(''));
    if (text.length > this.#maxBytes) return 'refused';
    try {
      await this.#write(text);
      return 'sent';
    } catch {
      // The handle may be one of a volume that is gone; and half a line would spoil the next.
      await this.#file?.truncate(this.#size).catch(() => undefined);
      await this.close();
      return { laterMs: undefined };
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  async #write(text: Buffer): Promise<void> {
    let file = this.#file ?? (await this.#open());
    if (this.#size > 0 && this.#size + text.length > this.#maxBytes) {
      await this.close();
      await rename(this.#path, `${this.#path}.1`);
      file = await this.#open();
    }
    await file.appendFile(text);
    this.#size += text.length;
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', MODE);
    this.#file = file;
    this.#size = (await file.stat()).size;
    return file;
  }
}
