import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, type Progress } from '@slipway/crds/contract';

export type ReportProgress = (progress: Omit<Progress, 'at' | 'etaSeconds'>) => Promise<void>;

/** Often enough for a person who watches, seldom enough not to slow training. */
const MIN_INTERVAL_MS = 250;

/**
 * Keeps status/progress.json current: written aside and renamed, so that a reader never sees half a document. The time
 * left is the time per step so far; the first and the last step are always written.
 */
export function progressWriter(directory: string, now: () => number): ReportProgress {
  const path = join(directory, FILES.progress);
  const startedAt = now();
  let writtenAt = Number.NEGATIVE_INFINITY;
  return async (progress) => {
    const time = now();
    const isLast = progress.step === progress.total;
    if (time - writtenAt < MIN_INTERVAL_MS && !isLast) return;
    writtenAt = time;
    const document: Progress = {
      ...progress,
      ...remaining(progress, time - startedAt),
      at: new Date(time).toISOString(),
    };
    await mkdir(directory, { recursive: true });
    await writeFile(`${path}.next`, JSON.stringify(document));
    await rename(`${path}.next`, path);
  };
}

function remaining({ step, total }: { step: number; total?: number | undefined }, elapsedMs: number) {
  if (total === undefined || step === 0) return {};
  return { etaSeconds: Math.max(0, Math.round(((total - step) * elapsedMs) / step / 1000)) };
}
