import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

const CHUNK = 4 * 1024 * 1024;

export interface Copied {
  readonly size: number;
  readonly sha256: string;
}

/**
 * Copies a file and hashes it in one read, and waits until it is on disk. While one chunk is hashed and written the
 * next one is read: a copy is as fast as the slower of disk and hash, not their sum. `seen` hears of each chunk.
 */
export async function copyHashed(
  from: string,
  to: string,
  mode: number,
  seen: (bytes: number) => void,
): Promise<Copied> {
  const source = await open(from, 'r');
  try {
    const target = await open(to, 'w', mode);
    try {
      const copied = await pump(source, target, seen);
      await target.chmod(mode);
      await target.sync();
      return copied;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function pump(source: FileHandle, target: FileHandle, seen: (bytes: number) => void): Promise<Copied> {
  const hash = createHash('sha256');
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)] as const;
  let [size, turn] = [0, 0];
  let reading = source.read(buffers[0], 0, CHUNK, 0);
  for (;;) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    const chunk = (turn === 0 ? buffers[0] : buffers[1]).subarray(0, bytesRead);
    const writing = writeWhole(target, chunk, size);
    size += bytesRead;
    turn = 1 - turn;
    reading = source.read(turn === 0 ? buffers[0] : buffers[1], 0, CHUNK, size);
    // A read that fails while the write is awaited must not be an unhandled rejection; it is thrown at the next await.
    reading.catch(() => undefined);
    hash.update(chunk);
    await writing;
    seen(bytesRead);
  }
}

/** A write may take less than it is given. */
async function writeWhole(target: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await target.write(chunk, at, chunk.length - at, position + at);
    at += bytesWritten;
  }
}
