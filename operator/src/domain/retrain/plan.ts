import { type Observation, rfc3339 } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { again, type Outcome, settled, soonest } from '../../kube/outcome.ts';
import { type Hold, holdOf } from './brakes.ts';
import { adopt, follow, LED_TO_NOTHING } from './follow.ts';
import { retrainingJob } from './job.ts';
import { nextScheduled, scheduleFault, type Wish, wishesOf } from './triggers.ts';
import { MOST_RUNS, NO_RUNS, type RetrainPlan, type RetrainStatus, type RetrainWorld, type Run } from './world.ts';

export const RETRAINING = 'Retraining';
type Spec = NonNullable<RetrainWorld['infs']['spec']['retrain']>;

const note = (type: EventNote['type'], reason: string, message: string): EventNote => ({
  type,
  reason,
  action: 'Retrain',
  message,
});
const condition = (status: 'True' | 'False', reason: string, message: string): Observation => ({
  type: RETRAINING,
  status,
  reason,
  message,
});

/** What is told of a run whose outcome changed. */
const toldOf = ({ trainingJob, modelVersion, outcome, message }: Run): EventNote =>
  note(
    LED_TO_NOTHING.includes(outcome) ? 'Warning' : 'Normal',
    `Retraining${outcome}`,
    `${modelVersion ?? trainingJob}: ${message ?? outcome}.`.replace(/\.\.$/, '.'),
  );

/** What has to be mended before anything can start. */
function faultOf({ infs, pattern }: RetrainWorld, { from, schedule, timeZone }: Spec): Hold | undefined {
  const message = scheduleFault(schedule, timeZone);
  if (message !== undefined) return { reason: 'ScheduleInvalid', message };
  if (pattern === undefined) {
    return {
      reason: 'PatternMissing',
      message: `There is no TrainingJob ${from} in this namespace: create it, or name another in spec.retrain.from.`,
    };
  }
  const { name } = pattern.spec.model;
  if (name === infs.spec.model.name) return undefined;
  return {
    reason: 'PatternMismatch',
    message: `TrainingJob ${from} trains ${name}, and this service serves ${infs.spec.model.name}: name one that trains it.`,
  };
}

const at = (world: RetrainWorld, when: Date | undefined, why: string): Outcome =>
  when === undefined ? settled : again(Math.max(1, when.getTime() - world.now.getTime()), why);

/** The schedule counts from the first pass that knows of it: what lay before nobody had asked for. */
function seen(world: RetrainWorld, { schedule }: Spec, status: RetrainStatus): RetrainStatus {
  const { lastScheduled = rfc3339(world.now), ...others } = status;
  // Without one nothing is kept: one that is written again later would find weeks to make up for.
  return schedule === undefined ? others : { ...others, lastScheduled };
}

interface Standing {
  readonly world: RetrainWorld;
  readonly spec: Spec;
  readonly status: RetrainStatus;
  readonly events: readonly EventNote[];
  readonly due: Outcome;
}

function start({ world, status, events, due }: Standing, wish: Wish): RetrainPlan {
  const { infs, now, pattern, nameOf } = world;
  if (pattern === undefined) throw new Error('a retraining starts only from a pattern');
  const number = status.number + 1;
  const name = nameOf(number);
  const startedAt = rfc3339(now);
  const run: Run = { trainingJob: name, startedAt, trigger: wish.trigger, outcome: 'Running', acceleratorSeconds: 0 };
  const message = `${name} trains the model anew. ${wish.why}.`;
  return {
    create: retrainingJob({ infs, pattern, name, why: wish.why }),
    status: {
      ...status,
      ...wish.mark,
      number,
      running: name,
      trigger: wish.trigger,
      startedAt,
      rejections: wish.trigger === 'Asked' ? 0 : status.rejections,
      runs: [...(status.runs ?? []), run].slice(-MOST_RUNS),
    },
    condition: condition('True', 'Running', message),
    events: [...events, note('Normal', 'RetrainingStarted', message)],
    next: due,
  };
}

/** Where no wish may start: the run under way, else why the first wish has to wait, else that there is none. */
function stand({ world, status, events, due }: Standing, held: readonly (readonly [Wish, Hold])[]): RetrainPlan {
  const running = status.runs?.find(({ outcome }) => outcome === 'Running');
  const [first] = held;
  const waits = held.map(([, { until, reason }]) => at(world, until, reason));
  const soon = first?.[1].until;
  const job = running && world.trainingJobs.get(running.trainingJob);
  const stalled = job?.status?.conditions?.find(({ type, status: is }) => type === 'Stalled' && is === 'True');
  const trouble = stalled === undefined ? '' : ` It can't go on: ${stalled.message}`;
  const observed =
    running !== undefined
      ? condition('True', 'Running', `${running.trainingJob} trains the model anew (${running.trigger}).${trouble}`)
      : first === undefined
        ? condition('False', 'Idle', 'Nothing asks for a retraining.')
        : condition('False', first[1].reason, `${first[0].why}. Not yet: ${first[1].message}`);
  return {
    status: { ...status, ...(soon && { next: rfc3339(soon) }) },
    condition: observed,
    events,
    next: soonest(due, ...waits),
  };
}

const nothing: RetrainPlan = { status: undefined, condition: undefined, events: [], next: settled };

/** What one pass does about the retraining of one service. Pure and total. */
export function planRetraining(world: RetrainWorld): RetrainPlan {
  const { retrain: spec, drift } = world.infs.spec;
  if (spec === undefined && drift?.action !== 'Retrain') return nothing;
  if (spec === undefined) {
    const message = 'drift.action is Retrain, and there is no spec.retrain: name a TrainingJob in spec.retrain.from.';
    return { ...nothing, condition: condition('False', 'PatternMissing', message) };
  }
  const { status: followed, changed } = follow(world, adopt(world, world.infs.status?.retraining ?? NO_RUNS));
  const events = changed.filter(({ outcome }) => outcome !== 'Verifying').map(toldOf);
  const fault = faultOf(world, spec);
  if (fault !== undefined) {
    const observed = condition('False', fault.reason, fault.message);
    return { status: followed, condition: observed, events, next: settled };
  }
  const status = seen(world, spec, followed);
  const { schedule, timeZone } = spec;
  const next = schedule === undefined ? undefined : nextScheduled(schedule, timeZone, world.now);
  const standing: Standing = { world, spec, status, events, due: at(world, next, 'the schedule comes') };
  const wishes = wishesOf(world, status).map((wish) => [wish, holdOf({ world, spec, status, wish })] as const);
  const free = wishes.find(([, hold]) => hold === undefined);
  if (free !== undefined) return start(standing, free[0]);
  return stand(
    standing,
    wishes.filter((pair): pair is readonly [Wish, Hold] => pair[1] !== undefined),
  );
}
