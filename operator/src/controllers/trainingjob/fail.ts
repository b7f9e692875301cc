import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { settled } from '../../kube/outcome.ts';
import { warning } from './notes.ts';
import { observedStatus } from './observe.ts';
import { stalled } from './outlook.ts';
import type { Action, Plan, World } from './world.ts';

/** Deletes what still runs, so that a job that is given up holds no accelerator. */
export const stopRunning = ({ attempt, publish }: World): Action[] =>
  [attempt.job, publish.job].flatMap((job) =>
    job === undefined || jobEnd(job) !== undefined || job.metadata.deletionTimestamp !== undefined
      ? []
      : [{ kind: 'DeleteJob', job }],
  );

/** The end of a job that failed: nothing is ever started again. */
export const fail = (world: World, reason: string, message: string): Plan => ({
  actions: stopRunning(world),
  status: { ...observedStatus(world), phase: 'Failed', finishedAt: rfc3339(world.now) },
  observed: stalled(reason, message),
  events: [warning(reason, message)],
  next: settled,
});
