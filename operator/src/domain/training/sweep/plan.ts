import { ANNOTATIONS } from '@slipway/crds/contract';
import type { TrainingJob } from '../../../api/kinds.ts';
import { type Observation, rfc3339 } from '../../../kube/conditions.ts';
import type { EventNote } from '../../../kube/contracts.ts';
import type { Stored } from '../../../kube/wire.ts';
import { chooseVersion, refusalOf } from '../version.ts';
import { bestText, isOver, type Standing, type SweepWorld, standingOf, type Trial, tallyText } from './standing.ts';
import { type SweepStatus, statusOf } from './status.ts';
import { type Parameters, sweepFault } from './trials.ts';

export type SweepAction =
  | { readonly kind: 'StartTrial'; readonly name: string; readonly parameters: Parameters }
  /** Publish: it is asked to. Suspend: its spec.suspend becomes that of the sweep. */
  | { readonly kind: 'Publish' | 'Suspend' | 'Delete'; readonly trial: Stored<TrainingJob> };

export interface SweepPlan {
  readonly actions: readonly SweepAction[];
  readonly status: SweepStatus;
  readonly observed: readonly Observation[];
  readonly events: readonly EventNote[];
}

const TRUTH = {
  done: ['True', 'False', 'False'],
  underWay: ['False', 'True', 'False'],
  stalled: ['False', 'False', 'True'],
} as const;

const conditions = (kind: keyof typeof TRUTH, reason: string, message: string): Observation[] =>
  (['Ready', 'Reconciling', 'Stalled'] as const).map((type, i) => ({
    type,
    status: TRUTH[kind][i] ?? 'False',
    reason,
    message,
  }));

const note = (type: EventNote['type'], reason: string, message: string): EventNote => ({
  type,
  reason,
  action: 'Sweep',
  message,
});

const jobsOf = (trials: readonly Trial[]): Stored<TrainingJob>[] =>
  trials.map(({ job }) => job).filter((job) => job !== undefined);

/** The trials that still run would cost and lead to nothing. */
function giveUp(standing: Standing, reason: string, message: string): SweepPlan {
  const running = standing.trials.filter(({ state }) => state === 'Running');
  return {
    actions: jobsOf(running).map((trial) => ({ kind: 'Delete', trial })),
    status: { ...statusOf(standing, 'Failed'), finishedAt: rfc3339(standing.world.now) },
    observed: conditions('stalled', reason, message),
    events: [note('Warning', reason, message)],
  };
}

/** What a trial says of itself while it is asked to publish and nothing is wrong. */
const UNTROUBLED: readonly string[] = ['Trained', 'Publishing', 'Pending', 'ClaimingVersion'];

function askToPublish(standing: Standing, trial: Stored<TrainingJob>): SweepPlan {
  const { world, trials } = standing;
  const said = trial.status?.conditions?.find(({ type }) => type === 'Ready');
  const trouble = said === undefined || UNTROUBLED.includes(said.reason) ? '' : ` ${said.message}`;
  const message = `All ${trials.length} trials are over: ${bestText(standing)}; its model is being published.${trouble}`;
  const isNews = world.tj.status?.phase !== 'Publishing';
  return {
    actions: [{ kind: 'Publish', trial }],
    status: statusOf(standing, 'Publishing'),
    observed: conditions('underWay', 'Publishing', message),
    events: isNews ? [note('Normal', 'SweepTrained', message)] : [],
  };
}

/** What the best trial made is what the sweep made. The others go, with their volumes; their values stay. */
function finish(standing: Standing, { metadata, status }: Stored<TrainingJob>, modelVersion: string): SweepPlan {
  const { world, trials } = standing;
  const { version, artifact, image } = status ?? {};
  const message = `Published as ModelVersion ${modelVersion}: ${bestText(standing)} of ${trials.length} trials.`;
  const others = jobsOf(trials).filter((job) => job.metadata.name !== metadata.name);
  return {
    actions: others.map((trial) => ({ kind: 'Delete', trial })),
    status: {
      ...statusOf(standing, 'Succeeded'),
      finishedAt: rfc3339(world.now),
      modelVersion,
      ...(version === undefined ? {} : { version }),
      ...(artifact === undefined ? {} : { artifact }),
      ...(image === undefined ? {} : { image }),
    },
    observed: conditions('done', 'Succeeded', message),
    events: [note('Normal', 'Published', message)],
  };
}

const isAsked = ({ spec, metadata }: SweepWorld['tj']): boolean =>
  spec.publish.when !== 'Asked' || metadata.annotations?.[ANNOTATIONS.publish] === metadata.uid;

/** All trials are over, and the best is not to be published yet; what publishes already is stopped. */
function hold(standing: Standing, trial: Stored<TrainingJob>, phase: 'Trained' | 'Suspended'): SweepPlan {
  const { metadata } = standing.world.tj;
  const why =
    phase === 'Suspended'
      ? 'nothing is published while spec.suspend is true'
      : `publish.when is Asked: kubectl annotate trainingjob ${metadata.name} ${ANNOTATIONS.publish}=${metadata.uid} publishes its model`;
  const runs = phase === 'Suspended' && trial.status?.phase === 'Publishing' && trial.spec.suspend !== true;
  return {
    actions: runs ? [{ kind: 'Suspend', trial }] : [],
    status: statusOf(standing, phase),
    observed: conditions(
      'underWay',
      phase,
      `All ${standing.trials.length} trials are over: ${bestText(standing)}; ${why}.`,
    ),
    events: [],
  };
}

function conclude(standing: Standing): SweepPlan {
  const { best, trials, sweep, world } = standing;
  if (best === undefined) {
    return giveUp(standing, 'NoTrialTrained', `No trial told ${sweep.objective.metric}: ${tallyText(trials)}.`);
  }
  const { job } = best;
  if (job === undefined) {
    return giveUp(standing, 'TrialLost', `Trial ${best.name}, the best, was deleted before its model was published.`);
  }
  const { phase, modelVersion } = job.status ?? {};
  if (phase === 'Succeeded' && modelVersion !== undefined) return finish(standing, job, modelVersion);
  if (world.tj.spec.suspend === true) return hold(standing, job, 'Suspended');
  return isAsked(world.tj) ? askToPublish(standing, job) : hold(standing, job, 'Trained');
}

/** A trial that only a person can help on would else be one that runs. */
function stuckText(running: readonly Trial[]): string {
  for (const { name, job } of running) {
    const stalled = job?.status?.conditions?.find(({ type, status }) => type === 'Stalled' && status === 'True');
    if (stalled !== undefined) return ` ${name} can't go on: ${stalled.message}`;
  }
  return '';
}

function search(standing: Standing): SweepPlan {
  const { world, sweep, trials } = standing;
  const { spec, status } = world.tj;
  const isSuspended = spec.suspend === true;
  const running = trials.filter(({ state }) => state === 'Running');
  const room = isSuspended ? 0 : Math.max(0, sweep.parallelism - running.length);
  const starting = trials.filter(({ state }) => state === 'Waiting').slice(0, room);
  const differing = jobsOf(running).filter((job) => (job.spec.suspend === true) !== isSuspended);
  const phase = isSuspended ? 'Suspended' : running.length + starting.length > 0 ? 'Running' : 'Pending';
  const begins = note('Normal', 'SweepStarted', `${trials.length} trials, ${sweep.parallelism} at a time.`);
  return {
    actions: [
      ...differing.map((trial): SweepAction => ({ kind: 'Suspend', trial })),
      ...starting.map(({ name, parameters }): SweepAction => ({ kind: 'StartTrial', name, parameters })),
    ],
    status: statusOf(standing, phase),
    observed: conditions(
      'underWay',
      phase,
      `${tallyText(trials)} of ${trials.length} trials; ${bestText(standing)}.${stuckText(running)}`,
    ),
    events: status?.phase === undefined ? [begins] : [],
  };
}

function failedTooOften(standing: Standing): string | undefined {
  const { trials, sweep } = standing;
  const failed = trials.filter(({ state }) => state === 'Failed');
  if (failed.length <= sweep.failedTrials) return undefined;
  const names = failed.slice(0, 3).map(({ name }) => name);
  return `${failed.length} trials failed or told no ${sweep.objective.metric} (${names.join(', ')}), and sweep.failedTrials is ${sweep.failedTrials}.`;
}

const refuse = ({ now }: SweepWorld, reason: string, message: string): SweepPlan => ({
  actions: [],
  status: { phase: 'Failed', finishedAt: rfc3339(now) },
  observed: conditions('stalled', reason, message),
  events: [note('Warning', reason, message)],
});

/** Asked before the first trial: else all would train, and the best could not be named. */
function versionFault({ tj, made }: SweepWorld) {
  if (made === undefined) return undefined;
  const { name, version } = tj.spec.model;
  const choice = chooseVersion(version, made);
  return choice.kind === 'free' ? undefined : refusalOf(name, choice);
}

/** A trial could not be made, and may be once a person has made room: what runs goes on. */
export function trialHeld({ tj }: SweepWorld, reason: string, message: string): SweepPlan {
  const { conditions: _c, observedGeneration: _g, ...status } = tj.status ?? {};
  return {
    actions: [],
    status,
    observed: conditions('underWay', reason, message),
    events: [note('Warning', reason, message)],
  };
}

/** The API server says that no trial of this sweep is a TrainingJob: its spec never changes, so none will ever be. */
export function trialInvalid(world: SweepWorld, message: string): SweepPlan {
  const { sweep } = world.tj.spec;
  return sweep === undefined
    ? refuse(world, 'TrialInvalid', message)
    : giveUp(standingOf(world, sweep), 'TrialInvalid', message);
}

/** What one pass does about one sweep. Pure and total; undefined once it is over: a finished sweep stays as it is. */
export function planSweep(world: SweepWorld): SweepPlan | undefined {
  const { sweep } = world.tj.spec;
  const { phase } = world.tj.status ?? {};
  if (sweep === undefined || phase === 'Succeeded' || phase === 'Failed') return undefined;
  const fault = sweepFault(sweep);
  if (fault !== undefined) return refuse(world, 'SweepInvalid', fault);
  const refused = versionFault(world);
  if (refused !== undefined) return refuse(world, refused.reason, refused.message);
  const standing = standingOf(world, sweep);
  const failure = failedTooOften(standing);
  if (failure !== undefined) return giveUp(standing, 'TrialsFailed', failure);
  return standing.trials.every(isOver) ? conclude(standing) : search(standing);
}
