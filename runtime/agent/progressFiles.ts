import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import { type ProgressReading, readingOf } from './progress.ts';

/** Of a longer file only the end is read: a report is a few hundred bytes, and nobody is to fill our memory. */
const MOST_BYTES = 64 * 1024;

/** The last bytes of a file, and whether that is all of it; undefined where there is none. */
function tailOf(path: string): { readonly text: string; readonly whole: boolean } | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MOST_BYTES));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return { text: bytes.toString('utf8', 0, read), whole: size <= MOST_BYTES };
  } catch {
    return undefined; // not there yet, or being renamed over
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The last line that is complete: what comes after the last line feed is still being written. */
const lastLine = (text: string): string | undefined =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .trimEnd()
    .split('\n')
    .at(-1) || undefined;

function wholeFile(statusDir: string): ProgressReading {
  const tail = tailOf(join(statusDir, FILES.progress));
  if (tail?.whole === false)
    return {
      kind: 'invalid',
      sentence: `progress.json is larger than ${MOST_BYTES} bytes; write the last report only.`,
    };
  return readingOf(tail?.text);
}

/**
 * What the trainer wrote last: progress.json, else the last whole line of progress.jsonl. Synchronous, as the agent also
 * asks when it is about to end.
 */
export function readProgressFiles(statusDir: string): ProgressReading {
  const whole = wholeFile(statusDir);
  if (whole.kind !== 'none') return whole;
  const tail = tailOf(join(statusDir, FILES.progressLines));
  return readingOf(tail && lastLine(tail.text), 'the last line of progress.jsonl');
}
