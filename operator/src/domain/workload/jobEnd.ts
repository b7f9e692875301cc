import type { Job } from '../../api/builtin.ts';
import { oneLine } from './oneLine.ts';

export type JobEnd =
  | { readonly kind: 'Complete'; readonly at: string | undefined }
  | { readonly kind: 'Failed'; readonly at: string | undefined; readonly reason: string; readonly message: string };

/**
 * How a Job ended, or undefined while it has not. Only the terminal conditions count: `FailureTarget` and
 * `SuccessCriteriaMet` come while pods still terminate, and a gang started beside a dying one meets it on the same
 * accelerators.
 */
export function jobEnd(job: Job): JobEnd | undefined {
  const met = job.status?.conditions?.filter(({ status }) => status === 'True') ?? [];
  const complete = met.find(({ type }) => type === 'Complete');
  if (complete !== undefined) {
    return { kind: 'Complete', at: job.status?.completionTime ?? complete.lastTransitionTime };
  }
  const failed = met.find(({ type }) => type === 'Failed');
  if (failed === undefined) return undefined;
  const { lastTransitionTime: at, reason = 'Failed', message = '' } = failed;
  return { kind: 'Failed', at, reason, message: oneLine(message) };
}
