import { rfc3339 } from '../../../kube/conditions.ts';
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
import { WHOLE } from '../exposure.ts';
import { asksToAbort, asksToGoBack } from '../people.ts';
import { podsFor, reachable } from '../sizing.ts';
import { deadlinePassed } from '../steps.ts';
import { backendsOf, isProgrammed } from '../weights.ts';
import type { Cause, StableStatus, Target } from '../world.ts';
import { begin } from './beginning.ts';
import { reject, rejectionOf } from './rejection.ts';
import { factsOf, note, place, title, titleOf, trouble, versionOf, withCandidate } from './telling.ts';

const goesBack = ({ state }: View): boolean => liveCandidate(state)?.back === true;
const isAsked = (view: View): boolean =>
  view.state.stable !== undefined && !goesBack(view) && asksToGoBack(view.world, view.state);

const another = ({ spec: { model } }: View['world']): string =>
  model.version === undefined ? 'move another version to Production' : 'name another one in spec.model.version';

/** Where a rollback after the promotion leads; a cause: nowhere, and why. */
function wayBack(view: View): Target | Cause {
  const { world, state } = view;
  const { previous } = world;
  const cause = (message: string): Cause => ({ reason: 'NothingToRollBackTo', message });
  if (state.previous === undefined) return cause(`There was no version before the one that serves: ${another(world)}.`);
  const about = titleOf(view, state.previous);
  if (rejectionOf(view, state.previous.revision) !== undefined) {
    return cause(`${about}, which served before, was rejected: ${another(world)}.`);
  }
  if (previous === undefined || previous.state !== 'Ready') {
    return cause(`${about}, which served before, can't serve now: ${previous?.message ?? 'nothing is left of it.'}`);
  }
  if (
    previous.revision === undefined ||
    previous.revision === state.stable?.revision ||
    rejectionOf(view, previous.revision) !== undefined
  ) {
    return cause(`${about}, which served before, would run just what serves now: ${another(world)}.`);
  }
  return previous;
}
const isTarget = (way: Target | Cause): way is Target => 'state' in way;

/** Why a rollback that a person asks for can't be; undefined: none is asked for, or it can. */
export const noWayBack = (view: View): Cause | undefined => {
  const way = isAsked(view) ? wayBack(view) : undefined;
  return way === undefined || isTarget(way) ? undefined : way;
};

function goBack(view: View): Decision {
  const way = wayBack(view);
  if (!isTarget(way)) return stalled(view.state, way);
  const left = view.state.stable?.version ?? '';
  const message = `A person asked for ${titleOf(view, way)} in place of ${left}: it takes over as soon as its pods are ready.`;
  return {
    ...progressing(begin(view, way, { back: true }), 'GoingBack', message),
    note: {
      type: 'Warning',
      reason: 'RollbackStarted',
      action: 'RollBack',
      message,
      from: left,
      to: way.version,
      ...(way.digest === undefined ? {} : { digest: way.digest }),
    },
  };
}

function cancel(view: View): Decision {
  const message = `is not brought back: a person called the rollback off.`;
  return {
    ...progressing(withoutCandidate(view.state), 'RollbackCancelled', `${title(view)} ${message}`),
    note: note(view, {
      reason: 'RollbackCancelled',
      action: 'Abort',
      message,
      from: place(theCandidate(view)),
      to: 'Idle',
    }),
  };
}

const podsNeeded = (view: View): number => podsFor(view.world, view.state, WHOLE);
const wrongDigest = (view: View): string | undefined => {
  const { revision, digest } = theCandidate(view);
  return view.world.evidence[revision]?.digests.find((reported) => reported !== digest);
};

/** Pods that report nothing do not keep it: they have loaded what the digest names, and people wait for the way back. */
const isReady = (view: View): boolean =>
  reachable(factsOf(view)) >= podsNeeded(view) && wrongDigest(view) === undefined;

function makeReady(view: View): Decision {
  const { ready, ...facts } = factsOf(view);
  const wrong = wrongDigest(view);
  const digest =
    wrong === undefined ? '' : ` A pod reports digest ${wrong}, and ${theCandidate(view).digest} was asked for.`;
  const message = `${title(view)} is brought back: ${ready} of ${podsNeeded(view)} pods are ready.${digest}${trouble({ ready, ...facts })}`;
  const state = withCandidate(view, { phase: 'Preparing', weight: 0 });
  const stuck = wrong !== undefined || facts.trouble?.fatal === true || deadlinePassed(view.world, theCandidate(view));
  return stuck
    ? stalled(state, {
        reason: 'CannotGoBack',
        message: `${message} It is tried on; abort ${view.state.rolloutID} to call it off.`,
      })
    : progressing(state, 'GoingBack', message);
}

function giveAll(view: View): Decision {
  const change = { phase: 'Shifting', weight: 100, stepStartedAt: rfc3339(view.world.now) } as const;
  const message = 'gets all traffic again.';
  return {
    ...progressing(withCandidate(view, change), 'GoingBack', `${title(view)} ${message}`),
    note: note(view, { reason: 'WeightChanged', action: 'Shift', message, from: 'Preparing', to: 'Shifting 100%' }),
  };
}

/** The version left is rejected in the same write in which it is left, or the spec would bring it in again. */
function arrive(view: View): Decision {
  const { previous: _left, stable, ...state } = withCandidate(view, { phase: 'Complete' });
  const message = `serves again, in place of ${stable?.version}: a person rolled it back.`;
  const cause = { reason: 'RolledBackByPerson', message: `${title(view)} ${message}` };
  const { rolloutID } = state;
  return {
    state: {
      ...state,
      stable: { ...versionOf(theCandidate(view)), ...(rolloutID === undefined ? {} : { rolloutID }) },
      rejected: stable === undefined ? state.rejected : reject(view, stable as StableStatus, cause),
    },
    tone: 'Progressing',
    cause,
    note: {
      ...note(view, {
        reason: 'RolledBack',
        action: 'RollBack',
        message,
        from: stable?.version ?? '',
        to: theCandidate(view).version,
        digest: theCandidate(view).digest,
      }),
      type: 'Warning',
    },
  };
}

const hasAll = ({ state }: View): boolean => state.candidate?.phase === 'Shifting' && state.candidate.weight === 100;

/** A person asks for the version before, after its successor was promoted: at once, without steps, bake or guards. */
export const WAY_BACK: readonly Rule[] = [
  {
    name: 'go-back',
    phase: 'every phase',
    when: 'the annotation rollback names the rollout that made the stable version stable, and the version before it can serve',
    effect: 'Preparing with the version before; it is not judged, and no step, window or pause holds it',
    applies: (v) => isAsked(v) && isTarget(wayBack(v)),
    decide: goBack,
  },
  {
    name: 'call-back-off',
    phase: 'Preparing, Shifting, going back',
    when: 'the annotation abort names this rollback',
    effect: 'Idle: what serves goes on, nothing is rejected',
    applies: (v) => goesBack(v) && asksToAbort(v.world, v.state),
    decide: cancel,
  },
  {
    name: 'make-back-ready',
    phase: 'Preparing, Shifting, going back',
    when: 'not all of its pods are ready, or, with traffic, none is any more',
    effect: 'wait without traffic, naming what keeps them; no deadline ends it',
    applies: (v) => goesBack(v) && (hasAll(v) ? factsOf(v).ready === 0 : !isReady(v)),
    decide: makeReady,
  },
  {
    name: 'give-back-all',
    phase: 'Preparing, going back',
    when: 'all of its pods are ready',
    effect: 'Shifting at 100%',
    applies: (v) => goesBack(v) && !hasAll(v),
    decide: giveAll,
  },
  {
    name: 'await-way-back',
    phase: 'Shifting, going back',
    when: 'the gateway has not programmed it',
    effect: 'hold: the version left keeps its pods',
    applies: (v) => goesBack(v) && !isProgrammed(v.world, backendsOf(v.state)),
    decide: (v) =>
      progressing(v.state, 'RouteNotProgrammed', `The gateway has not yet programmed the way back to ${title(v)}.`),
  },
  {
    name: 'arrive-back',
    phase: 'Shifting, going back',
    when: 'the gateway has programmed it',
    effect: 'Complete: it is stable, and the version left is rejected (RolledBackByPerson)',
    applies: goesBack,
    decide: arrive,
  },
];
