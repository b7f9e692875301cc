import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import { readingOf } from './progress.ts';

/**
 * Leaves the trainer's last report as the sidecar's termination message. A training shorter than the poll period, or
 * its last seconds, would else stand in the status as half done for ever. Synchronous, as the process is about to end;
 * a report that can't be read or kept is lost, which no one should have to wait for.
 */
export function leaveLastProgress(statusDir: string, terminationLog: string): void {
  try {
    const reading = readingOf(readFileSync(join(statusDir, FILES.progress), 'utf8'));
    if (reading.kind === 'report') writeFileSync(terminationLog, JSON.stringify(reading.progress));
  } catch {
    // No report was written, or the kubelet's file is gone already.
  }
}
