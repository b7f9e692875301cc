import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** 16 hex digits that change when any part changes. Parts are length-prefixed, so that ['ab'] and ['a', 'b'] differ. */
export function contentKey(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The key of some files' contents in the order given, and of further text such as build flags. */
export const contentKeyOf = async (files: readonly string[], text: readonly string[]): Promise<string> =>
  contentKey([...(await Promise.all(files.map((file) => readFile(file)))), ...text]);
