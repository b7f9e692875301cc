import {
  type Decision,
  liveCandidate,
  progressing,
  type Rule,
  stalled,
  theCandidate,
  type View,
  withoutCandidate,
} from '../decision.ts';
import { exposureOf, levelOf } from '../exposure.ts';
import { unreadyHold } from '../failure.ts';
import { specFault } from '../faults.ts';
import { notYet, outsideWindow } from '../opening.ts';
import { asksToPause } from '../people.ts';
import type { Cause } from '../world.ts';
import { BAKING } from './baking.ts';
import { begin } from './beginning.ts';
import { HOLD_FAILED } from './guarding.ts';
import { hold, PAUSED } from './holding.ts';
import { modelCause } from './idle.ts';
import { FIRST_VERSION_FAILS, PREPARING } from './preparing.ts';
import { rejectionOf, wanted } from './rejection.ts';
import { STEPPING_ON } from './stepping.ts';
import { place, titleOf } from './telling.ts';

const isLive = ({ state }: View): boolean => liveCandidate(state) !== undefined;
const targetChanged = (view: View): boolean => wanted(view) !== view.state.candidate?.revision;

const fault = ({ world, state }: View): Cause | undefined =>
  state.stable === undefined ? undefined : specFault(world, state);

/** Whether the version that the spec asks for now may begin in place of the one that it asked for before. */
const mayBegin = (view: View): boolean =>
  rejectionOf(view, wanted(view)) === undefined && fault(view) === undefined && notYet(view.world) === undefined;

function replace(view: View): Decision {
  const old = theCandidate(view);
  const begins = mayBegin(view);
  const message = `${titleOf(view, old)} gives way to ${view.world.target.version} at ${place(old)}: the spec changed.`;
  const cause = { reason: 'CandidateReplaced', message };
  return {
    state: begins ? begin(view, view.world.target) : withoutCandidate(view.state),
    tone: 'Progressing',
    cause,
    note: { type: 'Normal', action: 'Replace', from: place(old), to: begins ? 'Preparing' : 'Idle', ...cause },
  };
}

/** What goes on with a candidate that nothing keeps. */
const ONWARD: readonly Rule[] = [...PREPARING, ...STEPPING_ON, ...BAKING];

/** Whether this pass would show the candidate to more: then, and only then, the window counts. */
function wouldShowMore(view: View): boolean {
  const candidate = theCandidate(view);
  const next = ONWARD.find(({ applies }) => applies(view))?.decide(view).state.candidate;
  return next !== undefined && levelOf(exposureOf(next)) > levelOf(exposureOf(candidate));
}

const lacking = ({ world, state }: View): Cause | undefined => {
  const candidate = liveCandidate(state);
  return candidate === undefined || candidate.back === true ? undefined : unreadyHold(world, candidate);
};

const LIVE = 'Preparing, Shadowing, Previewing, Shifting, Baking';

/** What keeps a candidate where it is whatever the step says. */
const KEPT: readonly Rule[] = [
  FIRST_VERSION_FAILS,
  {
    name: 'paused',
    phase: LIVE,
    when: 'the annotation pause is "true"',
    effect: 'hold with Paused=True (PausedByPerson), guards armed',
    applies: (v) => isLive(v) && asksToPause(v.world),
    decide: (v) => hold(v, PAUSED),
  },
  {
    name: 'replace-candidate',
    phase: LIVE,
    when: 'the spec asks for a third revision, and it is Ready',
    effect:
      'Preparing with the new candidate; stable stays, the old candidate leaves the route. Idle where the new one was rejected, or may not begin now',
    applies: (v) => isLive(v) && v.world.target.state === 'Ready' && targetChanged(v),
    decide: replace,
  },
  {
    name: 'hold-for-model',
    phase: LIVE,
    when: 'the ModelVersion of the spec is missing or not Ready',
    effect: 'hold: weights stay, guards stay armed',
    applies: (v) => isLive(v) && (v.world.target.state !== 'Ready' || targetChanged(v)),
    decide: (v) => progressing(v.state, modelCause(v.world).reason, modelCause(v.world).message),
  },
  {
    name: 'hold-for-spec',
    phase: LIVE,
    when: 'something in spec.rollout can not be carried out, as in do-not-start',
    effect: 'hold with Stalled=True and the sentence that mends it',
    applies: (v) => isLive(v) && fault(v) !== undefined,
    decide: (v) => stalled(v.state, fault(v) ?? modelCause(v.world)),
  },
  HOLD_FAILED,
  {
    name: 'hold-unready',
    phase: 'Shifting, Baking',
    when: 'no pod of the candidate is ready, for less than 3 s, or no pod of the stable version is either',
    effect: 'hold: weights stay, guards stay armed',
    applies: (v) => isLive(v) && v.state.stable !== undefined && lacking(v) !== undefined,
    decide: (v) => hold(v, lacking(v) ?? modelCause(v.world)),
  },
  {
    name: 'outside-window',
    phase: LIVE,
    when: '`window` is closed, and the candidate would be shown to more',
    effect: 'hold with Paused=True (OutsideWindow), saying when it opens',
    applies: (v) =>
      isLive(v) && v.state.stable !== undefined && outsideWindow(v.world) !== undefined && wouldShowMore(v),
    decide: (v) => {
      const { reason, message } = outsideWindow(v.world) ?? { reason: 'OutsideWindow', message: '' };
      return hold(v, { reason, message });
    },
  },
];

/** The way of a candidate that nothing speaks against. */
export const FORWARD: readonly Rule[] = [...KEPT, ...ONWARD];
