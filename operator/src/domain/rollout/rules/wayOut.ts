import {
  type Decision,
  inPhase,
  liveCandidate,
  progressing,
  type Rule,
  stalled,
  theCandidate,
  type View,
  withoutCandidate,
} from '../decision.ts';
import { failureOf } from '../failure.ts';
import { asksToAbort } from '../people.ts';
import { routesOf } from '../routes.ts';
import { backendsOf, isProgrammed } from '../weights.ts';
import type { Cause } from '../world.ts';
import { rejectionOf, takeBack, wanted } from './rejection.ts';
import { caveat, place, title, titleOf } from './telling.ts';

/** A version that a person brings back is not judged: it has been. */
const judged = ({ state }: View) => {
  const candidate = liveCandidate(state);
  return candidate?.back === true ? undefined : candidate;
};

const failure = (view: View): Cause | undefined => {
  const candidate = judged(view);
  return candidate && failureOf(view.world, candidate, view.guards);
};

const abortedByPerson: Cause = { reason: 'AbortedByPerson', message: 'A person aborted it.' };

/** The spec names the stable version: what is under way is no longer asked for, and nothing speaks against it. */
function abort(view: View): Decision {
  const candidate = theCandidate(view);
  const message = `The spec asks for the stable version again: ${titleOf(view, candidate)} was taken back at ${candidate.weight}%.`;
  return {
    state: withoutCandidate(view.state),
    tone: 'Done',
    cause: { reason: 'Complete', message: 'The desired version is live.' },
    note: {
      type: 'Normal',
      reason: 'RolloutAborted',
      action: 'Abort',
      message,
      from: place(candidate),
      to: 'Idle',
      digest: candidate.digest,
    },
  };
}

/** What the history says of a candidate that was taken back. */
export function remember(view: View): Decision {
  const candidate = theCandidate(view);
  const why = rejectionOf(view, candidate.revision);
  return stalled(
    { ...view.state, candidate: { ...candidate, phase: 'RolledBack' } },
    {
      reason: 'RolledBack',
      message: `${title(view)} was rolled back: ${why?.message ?? 'its evidence is no longer kept.'}`,
    },
  );
}

/** The pods are left to whoever still asks them; the route says no more than that no new request goes there. */
const rollingBack = (view: View): Decision => {
  const { route } = view.world;
  const why = route.state === 'Refused' ? ` ${route.message}` : caveat(route);
  return progressing(
    view.state,
    'RollingBack',
    `The gateway has not yet programmed the route without ${title(view)}; it is written, and looked at until it has.${why}`,
  );
};

const lettingGo = (view: View): boolean =>
  isProgrammed(view.world, backendsOf(view.state), routesOf(view.world.spec, view.state));

/** What takes traffic away. It stands first and is legal from every phase, so that nothing that waits can mask it. */
export const WAY_OUT: readonly Rule[] = [
  {
    name: 'roll-back',
    phase: 'Preparing, Shadowing, Previewing, Shifting, Baking',
    when: 'another digest is reported, pods die again and again, no pod is ready for the traffic it gets for 3 s while one of the stable version is, a guard fails (unless `onFail: Hold`), is blind or needs more for longer than `patience` where `onBlind` or `onInconclusive` is RollBack, the ModelVersion is refused, or pods are not ready by the progress deadline',
    effect: 'RollingBack: the candidate leaves the route in one write, its revision is rejected with the evidence',
    applies: (v) => v.state.stable !== undefined && failure(v) !== undefined,
    decide: (v) => takeBack(v, failure(v) ?? { reason: 'RolledBack', message: '' }),
  },
  {
    name: 'abort-by-person',
    phase: 'Preparing, Shadowing, Previewing, Shifting, Baking',
    when: 'the annotation abort or rollback names this rollout',
    effect: 'RollingBack: the candidate leaves the route in one write, its revision is rejected (AbortedByPerson)',
    applies: (v) => v.state.stable !== undefined && judged(v) !== undefined && asksToAbort(v.world, v.state),
    decide: (v) => takeBack(v, abortedByPerson),
  },
];

export const LETTING_GO: readonly Rule[] = [
  {
    name: 'rolled-back',
    phase: 'RollingBack',
    when: 'the gateway has programmed the route without the candidate, header routes included',
    effect: 'RolledBack: its pods go',
    applies: (v) => inPhase(v, 'RollingBack') && lettingGo(v),
    decide: remember,
  },
  {
    name: 'rolling-back',
    phase: 'RollingBack',
    when: 'the gateway has not told yet',
    effect: 'hold: the pods stay for requests under way',
    applies: (v) => inPhase(v, 'RollingBack'),
    decide: rollingBack,
  },
  {
    name: 'abort',
    phase: 'Preparing, Shadowing, Previewing, Shifting, Baking',
    when: 'the spec asks for the stable revision again',
    effect: 'Idle: the candidate leaves the route, nothing is rejected',
    applies: (v) => liveCandidate(v.state) !== undefined && v.state.stable?.revision === (wanted(v) ?? ''),
    decide: abort,
  },
];
