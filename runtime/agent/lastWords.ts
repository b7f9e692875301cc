import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import { jsonOf } from '../artifact/json.ts';
import type { ProgressBook } from './progressBook.ts';

/** The end of a stack says more than its beginning; all of a termination message must fit into 4 KiB. */
const LONGEST_ERROR = 1500;
const LONGEST_MESSAGE = 4096;

/** The message of a torchelastic error file: {"message": {"message": "…"}} or {"message": "…"}. */
function errorOf(statusDir: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(statusDir, FILES.error), 'utf8');
  } catch {
    return undefined;
  }
  const { message } = (jsonOf(text) ?? {}) as { message?: unknown };
  const inner = typeof message === 'object' && message !== null ? (message as { message?: unknown }).message : message;
  return typeof inner === 'string' ? inner.trim().slice(-LONGEST_ERROR) : undefined;
}

/**
 * Leaves the trainer's last report, and the error that torchrun wrote down, as the sidecar's termination message. A
 * training shorter than the poll period, or its last seconds, would else stand in the status as half done for ever.
 * Synchronous, as the process is about to end; what can't be read or kept is lost, which no one should have to wait for.
 */
export function leaveLastWords(book: ProgressBook, statusDir: string, terminationLog: string): void {
  const reading = book.read();
  const error = errorOf(statusDir);
  const words = {
    ...(reading.kind === 'report' ? reading.progress : {}),
    ...(error === undefined ? {} : { error }),
  };
  if (Object.keys(words).length === 0) return;
  const text = JSON.stringify(words);
  try {
    // Metrics with long names may take up the room: the step is worth more than they.
    const { metrics: _, ...brief } = words as { metrics?: unknown };
    writeFileSync(terminationLog, Buffer.byteLength(text) <= LONGEST_MESSAGE ? text : JSON.stringify(brief));
  } catch {
    // The kubelet's file is gone already.
  }
}
