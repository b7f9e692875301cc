import type { RetrainSpec } from '@slipway/crds';
import { parseDuration } from '../duration.ts';
import type { Wish } from './triggers.ts';
import { MOST_RUNS, type RetrainStatus, type RetrainWorld, type Run } from './world.ts';

/** Why a wish has to wait. Without `until` only a change of something else ends the wait. */
export interface Hold {
  readonly reason: string;
  readonly message: string;
  readonly until?: Date;
}

interface Held {
  readonly world: RetrainWorld;
  readonly spec: RetrainSpec;
  readonly status: RetrainStatus;
  readonly wish: Wish;
}

interface Brake {
  readonly name: string;
  readonly holds: (held: Held) => Hold | undefined;
}

const underWay = ({ runs = [] }: RetrainStatus): Run | undefined =>
  runs.find(({ outcome }) => outcome === 'Running' || outcome === 'Verifying' || outcome === 'RollingOut');

const oneAtATime: Brake['holds'] = ({ status }) => {
  const run = underWay(status);
  return run && { reason: run.outcome, message: `${run.trainingJob} is under way (${run.outcome}).` };
};

/** A person who has not decided yet is not asked the same again because the drift goes on. */
const peopleFirst: Brake['holds'] = ({ status, wish }) => {
  const run = status.runs?.find(({ outcome }) => outcome === 'AwaitingApproval');
  if (run === undefined || wish.trigger === 'Asked' || wish.trigger === 'Schedule') return undefined;
  return { reason: 'AwaitingApproval', message: `${run.modelVersion ?? run.trainingJob} waits for an approval.` };
};

const loopGuard: Brake['holds'] = ({ spec, status, wish }) =>
  wish.trigger === 'Asked' || status.rejections < spec.rejections
    ? undefined
    : {
        reason: 'LoopGuard',
        message: `The last ${status.rejections} retrainings led to nothing: look at why, then set the annotation slipway.dev/retrain to a new value to try again.`,
      };

const cooldown: Brake['holds'] = ({ spec, status, wish, world }) => {
  if (status.startedAt === undefined || wish.trigger === 'Asked') return undefined;
  const until = new Date(Date.parse(status.startedAt) + parseDuration(spec.cooldown));
  if (until.getTime() <= world.now.getTime()) return undefined;
  return { reason: 'Cooldown', message: `The last retraining began less than ${spec.cooldown} ago.`, until };
};

const SECONDS_AN_HOUR = 3600;

/** One more than the status keeps would make the oldest free: hours would come back before their time, without end. */
const budget: Brake['holds'] = ({ spec, status, world }) => {
  if (spec.budget === undefined) return undefined;
  const { acceleratorHours, runs: most, per } = spec.budget;
  const span = parseDuration(per);
  const recent = (status.runs ?? []).filter((run) => Date.parse(run.startedAt) + span > world.now.getTime());
  const hours = recent.reduce((sum, run) => sum + run.acceleratorSeconds, 0) / SECONDS_AN_HOUR;
  const spent =
    most !== undefined && recent.length >= most
      ? `${recent.length} of ${most} retrainings`
      : acceleratorHours !== undefined && hours >= acceleratorHours
        ? `${hours.toFixed(1)} of ${acceleratorHours} accelerator hours`
        : acceleratorHours !== undefined && recent.length >= MOST_RUNS
          ? `${MOST_RUNS} retrainings, the most whose accelerator hours are remembered,`
          : undefined;
  const [first] = recent;
  if (spent === undefined) return undefined;
  const until = first === undefined ? undefined : new Date(Date.parse(first.startedAt) + span);
  return { reason: 'BudgetUsed', message: `${spent} of the last ${per} are used.`, ...(until && { until }) };
};

/** In this order: what is told is the first that holds. */
export const BRAKES: readonly Brake[] = [
  { name: 'one retraining at a time', holds: oneAtATime },
  { name: 'a version that waits for people comes before another drift', holds: peopleFirst },
  { name: 'retrainings in a row that lead to nothing stop', holds: loopGuard },
  { name: 'some time between two', holds: cooldown },
  { name: 'no more than the budget', holds: budget },
];

export const holdOf = (held: Held): Hold | undefined => {
  for (const { holds } of BRAKES) {
    const hold = holds(held);
    if (hold !== undefined) return hold;
  }
  return undefined;
};
