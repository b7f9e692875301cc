import {
  type Decision,
  inPhase,
  liveCandidate,
  progressing,
  type Rule,
  stalled,
  type View,
  withoutCandidate,
} from '../decision.ts';
import { specFault } from '../faults.ts';
import { notYet } from '../opening.ts';
import { asksToPause } from '../people.ts';
import type { Cause, World } from '../world.ts';
import { start } from './beginning.ts';
import { hold, PAUSED } from './holding.ts';
import { rejectionOf, wanted } from './rejection.ts';
import { titleOf } from './telling.ts';
import { noWayBack } from './wayBack.ts';
import { remember } from './wayOut.ts';

/** A closed window is looked at again in time, and now and then before: clocks are set. */
const LONGEST_WAIT_MS = 3_600_000;
/** What a pass waits for here is watched; a look now and then covers a watch that was lost. */
const IDLE_LOOK_MS = 60_000;

const isIdle = ({ state }: View): boolean => liveCandidate(state) === undefined;
const hasStable = ({ state }: View): boolean => state.stable !== undefined;

export const modelCause = ({ target }: World): Cause => ({
  reason: target.state === 'Missing' ? 'ModelVersionMissing' : 'ModelVersionNotReady',
  message: target.message,
});

/** A spec that can't be carried out at the next change is told now, when whoever wrote it still looks. */
function rest(view: View): Decision {
  const lost = noWayBack(view);
  const fault = lost ?? specFault(view.world, view.state);
  return {
    state: inPhase(view, 'RolledBack') ? withoutCandidate(view.state) : view.state,
    tone: 'Done',
    cause: { reason: 'Complete', message: 'The desired version is live.' },
    ...(fault === undefined ? {} : { fault }),
    ...(lost === undefined ? {} : { againMs: IDLE_LOOK_MS }),
  };
}

function refuse(view: View): Decision {
  const why = rejectionOf(view, wanted(view));
  return stalled(inPhase(view, 'RolledBack') ? withoutCandidate(view.state) : view.state, {
    reason: 'RejectedVersion',
    message: `${titleOf(view, view.world.target)} was rolled back at ${why?.at}: ${why?.message} Change the spec, or annotate this object with slipway.dev/retry: ${why?.revision}.`,
  });
}

const awaitModel = (view: View): Decision =>
  view.world.target.state === 'Refused'
    ? stalled(view.state, { reason: 'ModelVersionRefused', message: view.world.target.message })
    : {
        ...progressing(view.state, modelCause(view.world).reason, modelCause(view.world).message),
        againMs: IDLE_LOOK_MS,
      };

/** The first version serves at once: nothing serves yet that a window could protect. It may be told to start later. */
const closed = (view: View) => {
  const { startAt, window: _open, ...rollout } = view.world.spec.rollout;
  const timed = startAt === undefined ? rollout : { ...rollout, startAt };
  return notYet(hasStable(view) ? view.world : { ...view.world, spec: { ...view.world.spec, rollout: timed } });
};

function waitForWindow(view: View): Decision {
  const { opensInMs = LONGEST_WAIT_MS, ...cause } = closed(view) ?? { reason: 'OutsideWindow', message: '' };
  return { ...hold(view, cause), againMs: Math.min(LONGEST_WAIT_MS, Math.max(1, opensInMs)) };
}

const fault = (view: View): Cause | undefined => (hasStable(view) ? specFault(view.world, view.state) : undefined);

/** No rollout is under way: whether one begins. */
export const IDLE: readonly Rule[] = [
  {
    name: 'in-sync',
    phase: 'Idle, Complete, RolledBack',
    when: 'the stable revision is the one the spec asks for',
    effect:
      'nothing; what an earlier rollout left is removed once the route does not name it. A rollback that is asked for and leads nowhere (NothingToRollBackTo), or a rollout that could not be carried out, is told as Stalled=True',
    applies: (v) => isIdle(v) && v.state.stable?.revision === (wanted(v) ?? ''),
    decide: rest,
  },
  {
    name: 'stay-rolled-back',
    phase: 'RolledBack',
    when: 'the spec still asks for the revision that was rolled back',
    effect: 'Stalled=True (RolledBack) until the spec changes or a person asks to retry',
    applies: (v) => inPhase(v, 'RolledBack') && wanted(v) === v.state.candidate?.revision,
    decide: remember,
  },
  {
    name: 'refuse-rejected',
    phase: 'Idle, Complete, RolledBack',
    when: 'the spec asks for a revision that was rolled back before',
    effect: 'Stalled=True (RejectedVersion) until the spec changes or a person asks to retry',
    applies: (v) => isIdle(v) && rejectionOf(v, wanted(v)) !== undefined,
    decide: refuse,
  },
  {
    name: 'await-model',
    phase: 'Idle, Complete, RolledBack',
    when: 'the ModelVersion of the spec is missing or not Ready',
    effect: 'wait; what serves goes on. Refused: Stalled=True (ModelVersionRefused)',
    applies: (v) => isIdle(v) && v.world.target.state !== 'Ready',
    decide: awaitModel,
  },
  {
    name: 'do-not-start',
    phase: 'Idle, Complete, RolledBack',
    when: 'something in spec.rollout can not be carried out: an unknown time zone, a weight that whole pods can not give, a guard that asks for what is not there',
    effect: 'Stalled=True with the sentence that mends it; what serves goes on',
    applies: (v) => isIdle(v) && fault(v) !== undefined,
    decide: (v) => stalled(v.state, fault(v) ?? modelCause(v.world)),
  },
  {
    name: 'start-is-paused',
    phase: 'Idle, Complete, RolledBack',
    when: 'the annotation pause is "true"',
    effect: 'hold with Paused=True (PausedByPerson)',
    applies: (v) => isIdle(v) && asksToPause(v.world),
    decide: (v) => ({ ...hold(v, PAUSED), againMs: IDLE_LOOK_MS }),
  },
  {
    name: 'start-is-outside-window',
    phase: 'Idle, Complete, RolledBack',
    when: '`startAt` is to come, or `window` is closed (a first version waits for `startAt` only)',
    effect: 'hold with Paused=True (OutsideWindow), saying when it opens',
    applies: (v) => isIdle(v) && closed(v) !== undefined,
    decide: waitForWindow,
  },
  {
    name: 'start',
    phase: 'Idle, Complete, RolledBack',
    when: 'the spec asks for a Ready revision that is not stable',
    effect: 'Preparing with a new rolloutID',
    applies: isIdle,
    decide: start,
  },
];
