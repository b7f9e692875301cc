import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from '@slipway/crds/contract';

/**
 * Leaves a token for the trainer's progress POSTs, unless one is there from before this container was restarted: the
 * trainer may hold it already. It guards no more than the file beside it, which the trainer may write as well, but
 * Kubeflow's clients send nothing without one. Returns its path.
 */
export function leavePostToken(statusDir: string, newToken: () => string): string {
  const path = join(statusDir, FILES.postToken);
  try {
    if (readFileSync(path, 'utf8').trim() !== '') return path;
  } catch {
    // The first start.
  }
  writeFileSync(`${path}.next`, newToken(), { mode: 0o644 });
  renameSync(`${path}.next`, path);
  return path;
}
