import type { TrainingJobStatus } from '@slipway/crds';
import type { TrainingJob } from '../../../api/kinds.ts';
import type { Stored } from '../../../kube/wire.ts';
import { decimalText } from '../../decimal.ts';
import type { TakenVersion } from '../version.ts';
import { type Parameters, type Sweep, trialsOf } from './trials.ts';

/** Everything a decision about one sweep may look at. */
export interface SweepWorld {
  readonly tj: Stored<TrainingJob>;
  readonly now: Date;
  /** The trials that exist, by name. */
  readonly trials: ReadonlyMap<string, Stored<TrainingJob>>;
  /** Name of the n-th trial, from 0. */
  readonly nameOf: (index: number) => string;
  /** Versions of the model that are there; looked up before the first trial starts. */
  readonly made?: readonly TakenVersion[];
}

/** One trial as it stands. Trained: its model is there to be published, is being published, or was. */
export interface Trial {
  readonly name: string;
  readonly parameters: Parameters;
  readonly job: Stored<TrainingJob> | undefined;
  readonly value: number | undefined;
  readonly state: 'Waiting' | 'Running' | 'Trained' | 'Failed';
}

export interface Standing {
  readonly world: SweepWorld;
  readonly sweep: Sweep;
  readonly trials: readonly Trial[];
  readonly best: Trial | undefined;
}

type Told = NonNullable<TrainingJobStatus['trials']>[number];
const TRAINED: readonly (string | undefined)[] = ['Trained', 'Publishing', 'Succeeded'];

/** What its trainer last said of the objective. */
function objectiveOf({ status }: TrainingJob, { objective }: Sweep): number | undefined {
  const told = status?.progress?.metrics?.[objective.metric];
  return told === undefined || !Number.isFinite(Number(told)) ? undefined : Number(told);
}

/** A trial that trained but never told its objective can't be compared: it failed. */
function stateOf({ status }: TrainingJob, value: number | undefined): Trial['state'] {
  if (status?.phase === 'Failed') return 'Failed';
  if (!TRAINED.includes(status?.phase)) return 'Running';
  return value === undefined ? 'Failed' : 'Trained';
}

/** A trial whose job was deleted is not made again: what the status says of it stands, and without a value it failed. */
function trialOf(name: string, parameters: Parameters, job: Trial['job'], told: Told | undefined, sweep: Sweep): Trial {
  if (job !== undefined) {
    const value = objectiveOf(job, sweep);
    return { name, parameters, job, value, state: stateOf(job, value) };
  }
  if (told?.phase === undefined) return { name, parameters, job, value: undefined, state: 'Waiting' };
  const value = TRAINED.includes(told.phase) && told.value !== undefined ? Number(told.value) : undefined;
  return { name, parameters, job, value, state: value === undefined ? 'Failed' : 'Trained' };
}

/** The best of those that are trained, the first of equals. */
function bestOf(trials: readonly Trial[], { objective }: Sweep): Trial | undefined {
  const sign = objective.goal === 'Maximize' ? 1 : -1;
  const score = ({ value }: Trial): number => sign * (value ?? 0);
  return trials
    .filter(({ state }) => state === 'Trained')
    .reduce<Trial | undefined>((best, one) => (best === undefined || score(one) > score(best) ? one : best), undefined);
}

export function standingOf(world: SweepWorld, sweep: Sweep): Standing {
  const told = new Map(world.tj.status?.trials?.map((trial) => [trial.name, trial]));
  const trials = trialsOf(sweep).map((parameters, index) => {
    const name = world.nameOf(index);
    return trialOf(name, parameters, world.trials.get(name), told.get(name), sweep);
  });
  return { world, sweep, trials, best: bestOf(trials, sweep) };
}

const count = (trials: readonly Trial[], state: Trial['state']): number =>
  trials.filter((trial) => trial.state === state).length;
export const isOver = ({ state }: Trial): boolean => state === 'Trained' || state === 'Failed';

export const tallyText = (trials: readonly Trial[]): string =>
  (['Trained', 'Running', 'Waiting', 'Failed'] as const)
    .map((state) => `${count(trials, state)} ${state.toLowerCase()}`)
    .join(', ');

export function bestText({ best, sweep }: Standing): string {
  if (best === undefined) return 'no trial is trained yet';
  const chosen = Object.entries(best.parameters).map(([name, value]) => `${name}=${value}`);
  return `best ${sweep.objective.metric} ${decimalText(best.value ?? 0)} with ${chosen.join(', ')}`;
}
