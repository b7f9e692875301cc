import type { TrainingJob } from '../../api/kinds.ts';
import { parseDuration } from '../duration.ts';

/** When a finished job is to go by its ttlAfterFinished, in ms since the epoch; undefined: never, or not finished. */
export function goesAt({ spec, status }: TrainingJob): number | undefined {
  const { ttlAfterFinished } = spec;
  const finished = Date.parse(status?.finishedAt ?? '');
  return ttlAfterFinished === undefined || Number.isNaN(finished)
    ? undefined
    : finished + parseDuration(ttlAfterFinished);
}
