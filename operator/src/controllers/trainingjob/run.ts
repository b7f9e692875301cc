import type { Job } from '../../api/builtin.ts';
import type { Run } from '../../domain/training/trouble.ts';
import { TRAIN_CONTAINER } from '../../render/trainingJob.ts';
import { PREPARE_CONTAINER } from '../../render/trainingPrepare.ts';
import { observedStatus } from './observe.ts';
import type { World } from './world.ts';

/** The current attempt as the rules of trouble look at it. */
export function runOf(world: World, job: Job): Run {
  const { tj, attempt, lostNodes, now } = world;
  const { progress } = observedStatus(world);
  return {
    job,
    pods: attempt.pods,
    nodes: tj.spec.nodes,
    policy: tj.spec.failure,
    gang: tj.status?.gang,
    progressSince: progress?.since ?? progress?.lastHeartbeat,
    step: progress?.step,
    lostNodes,
    now,
    startContainer: PREPARE_CONTAINER,
    trainContainer: TRAIN_CONTAINER,
  };
}
