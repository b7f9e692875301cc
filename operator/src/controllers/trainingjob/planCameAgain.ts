import { completedIndexes, gapIn } from '../../domain/training/gang.ts';
import { cameAgain } from '../../domain/training/takenBack.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { betweenAttempts } from './attemptStatus.ts';
import { watch } from './planAttempt.ts';
import { weigh } from './planFailure.ts';
import type { Plan, World } from './world.ts';

type JobOf = NonNullable<World['attempt']['job']>;

const TAKEN_BACK = {
  class: 'Disrupted',
  reason: 'Disrupted',
  sentence: 'The queue took the job back after some of its pods were done: the others would never meet them again.',
  words: '',
  nodeToBlame: false,
} as const;

const isHeld = (job: JobOf): boolean => job.spec?.suspend === true && job.metadata.deletionTimestamp === undefined;

/** Taken back and let go again while nobody looked, as while the operator was down. */
const wentUnseen = ({ tj, attempt: { pods } }: World, job: JobOf): boolean =>
  tj.spec.queue !== undefined &&
  jobEnd(job) === undefined &&
  cameAgain(job, tj.status?.attemptStartedAt) &&
  gapIn(tj.status?.gang, job, pods, tj.spec.nodes) !== undefined;

/** An Indexed Job that is let go again starts only the indexes that were not done (kubernetes-sigs/jobset#1208). */
export function tornApart(world: World): Plan | undefined {
  const { job } = world.attempt;
  if (job === undefined || !(isHeld(job) || wentUnseen(world, job))) return undefined;
  return completedIndexes(job).size > 0 ? weigh(world, TAKEN_BACK) : undefined;
}

/** The pods that are missed were ended by rights. What they held is known from the time that they began only. */
export function newGang(world: World): Plan | undefined {
  const { tj, attempt } = world;
  if (attempt.job === undefined || !wentUnseen(world, attempt.job)) return undefined;
  const { conditions = [] } = tj.status ?? {};
  const status = { ...betweenAttempts({ ...world, attempt: { job: attempt.job, pods: [] } }), conditions };
  return watch({ ...world, tj: { ...tj, status } });
}
