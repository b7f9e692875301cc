import { ANNOTATIONS } from '@slipway/crds/contract';
import { rfc3339 } from '../../kube/conditions.ts';
import { followRun } from './outcome.ts';
import { DRIFT_OF, type Wish, wishesOf } from './triggers.ts';
import { acceleratorSecondsOf, MOST_RUNS, type RetrainStatus, type RetrainWorld, type Run } from './world.ts';

export const LED_TO_NOTHING: readonly Run['outcome'][] = ['Failed', 'Rejected'];
const LED_SOMEWHERE: readonly Run['outcome'][] = ['Promoted', 'Ready'];

/** What asked for an orphan still asks: by its annotation it is known again, and does not get a second one. */
const askedFor = (world: RetrainWorld, status: RetrainStatus, why: string): Wish | undefined => {
  const wishes = wishesOf(world, status);
  // The measure that drifts most may be another by now.
  return (
    wishes.find((wish) => wish.why === why) ??
    wishes.find((wish) => wish.why.startsWith(DRIFT_OF) && why.startsWith(DRIFT_OF))
  );
};

/** A run that was made by a pass that died before it could say so: it is found by its name, and not made twice. */
export function adopt(world: RetrainWorld, status: RetrainStatus): RetrainStatus {
  const name = world.nameOf(status.number + 1);
  const job = world.trainingJobs.get(name);
  if (job === undefined) return status;
  const startedAt = job.metadata.creationTimestamp ?? rfc3339(world.now);
  const wish = askedFor(world, status, job.metadata.annotations?.[ANNOTATIONS.trigger] ?? '');
  const run: Run = {
    trainingJob: name,
    startedAt,
    trigger: wish?.trigger ?? 'Asked',
    outcome: 'Running',
    acceleratorSeconds: acceleratorSecondsOf(job.status),
  };
  return {
    ...status,
    ...wish?.mark,
    number: status.number + 1,
    trigger: run.trigger,
    startedAt,
    runs: [...(status.runs ?? []), run].slice(-MOST_RUNS),
  };
}

export interface Followed {
  readonly status: RetrainStatus;
  /** Runs whose outcome is another than it was. */
  readonly changed: readonly Run[];
}

const countRejections = (changed: readonly Run[], before: number): number =>
  changed.reduce((count, { outcome }) => {
    if (LED_TO_NOTHING.includes(outcome)) return count + 1;
    return LED_SOMEWHERE.includes(outcome) ? 0 : count;
  }, before);

/** Looks at what became of each run. Those in a row that led to nothing are counted until one leads somewhere. */
export function follow(world: RetrainWorld, before: RetrainStatus): Followed {
  const runs = (before.runs ?? []).map((run) => followRun(run, world));
  const changed = runs.filter((run, i) => run.outcome !== before.runs?.[i]?.outcome);
  const running = runs.find(({ outcome }) => outcome === 'Running')?.trainingJob;
  const { running: _was, next: _next, runs: _runs, ...kept } = before;
  return {
    status: {
      ...kept,
      rejections: countRejections(changed, before.rejections),
      ...(running === undefined ? {} : { running }),
      ...(runs.length === 0 ? {} : { runs }),
    },
    changed,
  };
}
