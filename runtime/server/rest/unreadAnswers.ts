import type { Socket } from 'node:net';

type Reader = Pick<Socket, 'writableLength' | 'bytesWritten'> & {
  once(event: 'close', closed: () => void): unknown;
  destroy(): unknown;
};

/** Above this part of the bound a caller is expected to read without a pause. */
const CROWDED = 1 / 4;
/** So many looks without a byte taken are a pause. */
const MOST_STILL = 8;

/** What a caller had taken when it was last looked at, and for how many looks that has stood. */
interface Progress {
  taken: number;
  still: number;
}

/**
 * Bytes of answers that callers have not taken yet, over all connections. Each of them may take its time, and hundreds
 * that read nothing hold an answer each for longer than a request may last. Where there is little room, connections on
 * which nothing moves are ended soon; above the bound, at once, those that leave most unread. One that is alone may have
 * an answer of any length.
 */
export class UnreadAnswers {
  readonly #most: number;
  readonly #readers = new Map<Reader, Progress>();

  constructor(most: number) {
    this.#most = most;
  }

  watch(socket: Reader): void {
    this.#readers.set(socket, { taken: -1, still: 0 });
    socket.once('close', () => this.#readers.delete(socket));
  }

  /** To be called several times a second. */
  look(): void {
    let all = 0;
    for (const { writableLength } of this.#readers.keys()) all += writableLength;
    if (all <= CROWDED * this.#most) return;
    const slowestFirst = [...this.#readers]
      .map(([reader, progress]) => ({ reader, bytes: reader.writableLength, pauses: isStill(reader, progress) }))
      .toSorted((a, b) => b.bytes - a.bytes);
    for (const { reader, bytes, pauses } of slowestFirst) {
      if (bytes === 0 || bytes === all) return;
      if (all <= this.#most && !pauses) continue;
      all -= bytes;
      reader.destroy();
    }
  }
}

function isStill({ writableLength, bytesWritten }: Reader, progress: Progress): boolean {
  const taken = bytesWritten - writableLength;
  progress.still = writableLength > 0 && taken === progress.taken ? progress.still + 1 : 0;
  progress.taken = taken;
  return progress.still >= MOST_STILL;
}
