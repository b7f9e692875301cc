import { createHash } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import type { Log } from '../progress.ts';

/** Long enough for a slow connection to answer, short enough that a network without one costs little. */
const CONNECT_MS = 3000;
const TRANSFER_MS = 300_000;

async function fetchBytes(url: string, answerWithinMs: number): Promise<Buffer> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error('no answer')), answerWithinMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([stop.signal, AbortSignal.timeout(TRANSFER_MS)]) });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

/** Downloads an executable whose published SHA-256 is at `<url>.sha256`. False when it can't be had from there. */
export async function download(url: string, target: string, log: Log): Promise<boolean> {
  try {
    const expected = (await fetchBytes(`${url}.sha256`, CONNECT_MS)).toString().trim().slice(0, 64);
    log(`downloading ${url}`);
    const bytes = await fetchBytes(url, CONNECT_MS);
    if (createHash('sha256').update(bytes).digest('hex') !== expected)
      throw new Error('its SHA-256 is not the published one');
    await writeFile(target, bytes);
    await chmod(target, 0o755);
    return true;
  } catch (error) {
    log(`not downloaded: ${url} (${error instanceof Error ? error.message : 'unknown reason'})`);
    return false;
  }
}
