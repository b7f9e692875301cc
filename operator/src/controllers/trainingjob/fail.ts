import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { again } from '../../kube/outcome.ts';
import { accounted } from './attemptStatus.ts';
import { warning } from './notes.ts';
import { stalled } from './outlook.ts';
import type { Action, BareStatus, Plan, World } from './world.ts';

type JobOf = World['leftovers']['jobs'][number];

const stillRuns = (job: JobOf | undefined): job is JobOf =>
  job !== undefined && jobEnd(job) === undefined && job.metadata.deletionTimestamp === undefined;

/** Deletes Jobs that still run. */
export const stop = (jobs: readonly (JobOf | undefined)[]): Action[] =>
  jobs.filter(stillRuns).map((job): Action => ({ kind: 'DeleteJob', job }));

/**
 * Ends what is left of other attempts: their Jobs, and pods whose Job is gone without them, as after a deletion that
 * orphans. Pods of a Job that is being deleted end with it.
 */
export function clear({ leftovers: { jobs, pods } }: World): Action[] {
  const owners = new Set(jobs.map(({ metadata }) => metadata.uid));
  const orphans = pods.filter(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined && !(metadata.ownerReferences ?? []).some(({ uid }) => owners.has(uid)),
  );
  return [...stop(jobs), ...orphans.map((pod): Action => ({ kind: 'DeletePod', pod }))];
}

/** Deletes what still runs, so that a job that is given up holds no accelerator. */
export const stopRunning = (world: World): Action[] => [
  ...stop([world.attempt.job, world.publish.job]),
  ...clear(world),
];

/** The end of a job that failed: nothing is ever started again. */
export function fail(world: World, reason: string, message: string, more: Partial<BareStatus> = {}): Plan {
  const { nextAttemptAt: _n, queue: _q, ...status } = { ...accounted(world), ...more };
  return {
    actions: stopRunning(world),
    status: { ...status, phase: 'Failed', finishedAt: rfc3339(world.now) },
    observed: stalled(reason, message),
    events: [warning(reason, message)],
    next: again(1, 'what still runs is ended, and the time to live begins'),
  };
}
