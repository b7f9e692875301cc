import type { Job, Pod } from '../../api/builtin.ts';
import { jobEnd } from '../workload/jobEnd.ts';

const TRACKED = 'batch.kubernetes.io/job-tracking';

/** The Job controller takes its finalizer from a pod of a Job that goes on only when it ends that pod itself. */
const isLetGo = ({ metadata }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined && !(metadata.finalizers ?? []).includes(TRACKED);

/**
 * The pods of a Job without those that it had before its queue took it back. They may take minutes to end, and a queue
 * with room lets the same Job go again meanwhile: what becomes of them is none of the new gang's concern.
 */
export const withoutTakenBack = <P extends Pod>(job: Job, pods: readonly P[]): readonly P[] =>
  job.spec?.suspend === true || jobEnd(job) !== undefined ? pods : pods.filter((pod) => !isLetGo(pod));

/** Whether the Job was let go anew after its attempt had begun; the Job controller sets its start anew each time. */
export const cameAgain = ({ status }: Job, attemptStartedAt: string | undefined): boolean =>
  attemptStartedAt !== undefined && Date.parse(status?.startTime ?? '') > Date.parse(attemptStartedAt);
