import type { TrainingJobStatus } from '@slipway/crds';
import { decimalText } from '../../decimal.ts';
import { isOver, type Standing, type Trial } from './standing.ts';

export type SweepStatus = Omit<TrainingJobStatus, 'conditions' | 'observedGeneration'>;
type Told = NonNullable<SweepStatus['trials']>[number];

function toldOf({ name, parameters, job, value }: Trial, isBest: boolean, before: Told | undefined): Told {
  const phase = job === undefined ? before?.phase : (job.status?.phase ?? 'Pending');
  return {
    name,
    parameters: { ...parameters },
    ...(phase === undefined ? {} : { phase }),
    ...(value === undefined ? {} : { value: decimalText(value) }),
    ...(isBest ? { best: true } : {}),
  };
}

/** Trials that are over count as steps, so that `kubectl get` shows how far the search is. */
const progressOf = ({ trials, best }: Standing): SweepStatus['progress'] => {
  const over = trials.filter(isOver).length;
  return {
    step: over,
    total: trials.length,
    percent: `${trials.length === 0 ? 100 : Math.floor((100 * over) / trials.length)}%`,
    ...(best?.value === undefined ? {} : { metrics: { best: decimalText(best.value) } }),
  };
};

/** The status of a sweep: its trials, and what they cost together. */
export function statusOf(standing: Standing, phase: NonNullable<SweepStatus['phase']>): SweepStatus {
  const { world, trials, best } = standing;
  const { status } = world.tj;
  const before = new Map(status?.trials?.map((trial) => [trial.name, trial]));
  const starts = [status?.startedAt, ...trials.map(({ job }) => job?.status?.startedAt)].filter(
    (at) => at !== undefined,
  );
  const [startedAt] = starts.sort();
  const seconds = trials.reduce((sum, { job }) => sum + (job?.status?.acceleratorSeconds ?? 0), 0);
  return {
    phase,
    ...(startedAt === undefined ? {} : { startedAt }),
    // Trials that were deleted took their numbers with them: what was counted once stays counted.
    acceleratorSeconds: Math.max(seconds, status?.acceleratorSeconds ?? 0),
    progress: progressOf(standing),
    trials: trials.map((trial) => toldOf(trial, trial === best, before.get(trial.name))),
  };
}
