import { rfc3339 } from '../../kube/conditions.ts';
import {
  type Decision,
  inPhase,
  liveCandidate,
  progressing,
  type RolloutState,
  type Rule,
  stalled,
  theCandidate,
  type View,
  withoutCandidate,
} from './decision.ts';
import { failureOf } from './failure.ts';
import { backendsOf, isProgrammed } from './weights.ts';
import type { CandidateStatus, Cause, Rejection } from './world.ts';

const MOST_REJECTIONS = 16;
const LONGEST_EVIDENCE = 1024;

const wanted = ({ world }: View): string | undefined => world.target.revision;

export const rejectionOf = ({ state }: View, revision: string | undefined): Rejection | undefined =>
  state.rejected.find((r) => r.revision === revision);

const title = ({ world }: View, version: string): string => `${world.target.name} ${version}`;

const modelCause = ({ world: { target } }: View): Cause => ({
  reason: target.state === 'Missing' ? 'ModelVersionMissing' : 'ModelVersionNotReady',
  message: target.message,
});

function reject(view: View, candidate: CandidateStatus, cause: Cause): readonly Rejection[] {
  const { revision, version, digest } = candidate;
  const entry = {
    revision,
    version,
    digest,
    reason: cause.reason,
    message: cause.message.slice(0, LONGEST_EVIDENCE),
    at: rfc3339(view.world.now),
  };
  return [...view.state.rejected.filter((r) => r.revision !== revision), entry].slice(-MOST_REJECTIONS);
}

const failure = (view: View): Cause | undefined => {
  const candidate = liveCandidate(view.state);
  return candidate && failureOf(view.world, candidate, view.guards);
};

const place = (candidate: CandidateStatus): string =>
  candidate.phase === 'Shifting' ? `Shifting ${candidate.weight}%` : candidate.phase;

/** Zero traffic, and the revision is remembered with what spoke against it. */
function rollBack(view: View): Decision {
  const candidate = theCandidate(view);
  const cause = failure(view) ?? { reason: 'RolledBack', message: '' };
  const { awaitingApproval: _no, ...rest } = candidate;
  const leaving: CandidateStatus = {
    ...rest,
    phase: 'RollingBack',
    weight: 0,
    stepStartedAt: rfc3339(view.world.now),
    guards: [...view.guards],
  };
  const message = `${title(view, candidate.version)} lost its traffic at ${candidate.weight}%: ${cause.message}`;
  return {
    state: { ...view.state, candidate: leaving, rejected: reject(view, candidate, cause) },
    tone: 'Progressing',
    cause: { reason: 'RollingBack', message },
    note: {
      type: 'Warning',
      reason: 'RolledBack',
      action: 'RollBack',
      message,
      from: place(candidate),
      to: 'RollingBack',
    },
  };
}

function abort(view: View): Decision {
  const candidate = theCandidate(view);
  const message = `The spec asks for the stable version again: ${title(view, candidate.version)} was taken back at ${candidate.weight}%.`;
  return {
    state: withoutCandidate(view.state),
    tone: 'Done',
    cause: { reason: 'Complete', message: 'The desired version is live.' },
    note: { type: 'Normal', reason: 'RolloutAborted', action: 'Abort', message, from: place(candidate), to: 'Idle' },
  };
}

/** A rollout of the wanted version from its beginning. The identity is new each time, so no old approval fits it. */
function begin(view: View): RolloutState {
  const { target, now } = view.world;
  const { version, digest = '', revision = '' } = target;
  const candidate: CandidateStatus = {
    version,
    digest,
    revision,
    phase: 'Preparing',
    step: 0,
    startedAt: rfc3339(now),
    weight: 0,
  };
  return { ...view.state, candidate, rolloutID: `${revision}-${Math.floor(now.getTime() / 1000).toString(36)}` };
}

function start(view: View): Decision {
  const from = view.state.stable?.version ?? 'Idle';
  const message = `${title(view, view.world.target.version)} is made ready beside ${view.state.stable?.version ?? 'nothing'}.`;
  return {
    ...progressing(begin(view), 'PreparingCandidate', message),
    note: { type: 'Normal', reason: 'RolloutStarted', action: 'Start', message, from, to: view.world.target.version },
  };
}

function replace(view: View): Decision {
  const old = theCandidate(view);
  const message = `${title(view, old.version)} gives way to ${view.world.target.version} at ${old.weight}%: the spec changed.`;
  const state = rejectionOf(view, wanted(view)) === undefined ? begin(view) : withoutCandidate(view.state);
  return {
    ...progressing(state, 'CandidateReplaced', message),
    note: {
      type: 'Normal',
      reason: 'CandidateReplaced',
      action: 'Replace',
      message,
      from: place(old),
      to: 'Preparing',
    },
  };
}

function remember(view: View): Decision {
  const candidate = theCandidate(view);
  const why = rejectionOf(view, candidate.revision);
  return stalled(
    { ...view.state, candidate: { ...candidate, phase: 'RolledBack' } },
    {
      reason: 'RolledBack',
      message: `${title(view, candidate.version)} was rolled back: ${why?.message ?? 'its evidence is no longer kept.'}`,
    },
  );
}

function refuse(view: View): Decision {
  const why = rejectionOf(view, wanted(view));
  return stalled(inPhase(view, 'RolledBack') ? withoutCandidate(view.state) : view.state, {
    reason: 'RejectedVersion',
    message: `${title(view, view.world.target.version)} was rolled back at ${why?.at}: ${why?.message} Change the spec, or annotate this object with slipway.dev/retry: ${why?.revision}.`,
  });
}

const awaitModel = (view: View): Decision =>
  view.world.target.state === 'Refused'
    ? stalled(view.state, { reason: 'ModelVersionRefused', message: view.world.target.message })
    : progressing(view.state, modelCause(view).reason, modelCause(view).message);

const targetChanged = (view: View): boolean => wanted(view) !== view.state.candidate?.revision;

/** Way out and way in: what decides which version is the candidate. Rollback stands first and is legal from every phase. */
export const WAY_OUT: readonly Rule[] = [
  {
    name: 'roll-back',
    phase: 'Preparing, Shifting, Baking',
    when: 'another digest is reported, pods die again and again, no pod is ready for the traffic it gets, a guard fails, the ModelVersion is refused, or the progress deadline passed',
    effect: 'RollingBack: the candidate leaves the route in one write, its revision is rejected with the evidence',
    applies: (v) => v.state.stable !== undefined && failure(v) !== undefined,
    decide: rollBack,
  },
  {
    name: 'abort',
    phase: 'Preparing, Shifting, Baking',
    when: 'the spec asks for the stable revision again',
    effect: 'Idle: the candidate leaves the route, nothing is rejected',
    applies: (v) => liveCandidate(v.state) !== undefined && v.state.stable?.revision === (wanted(v) ?? ''),
    decide: abort,
  },
  {
    name: 'replace-candidate',
    phase: 'Preparing, Shifting, Baking',
    when: 'the spec asks for a third revision, and it is Ready',
    effect: 'Preparing with the new candidate; stable stays, the old candidate leaves the route',
    applies: (v) => liveCandidate(v.state) !== undefined && v.world.target.state === 'Ready' && targetChanged(v),
    decide: replace,
  },
  {
    name: 'hold-for-model',
    phase: 'Preparing, Shifting, Baking',
    when: 'the ModelVersion of the spec is missing or not Ready',
    effect: 'hold: weights stay, guards stay armed',
    applies: (v) => liveCandidate(v.state) !== undefined && (v.world.target.state !== 'Ready' || targetChanged(v)),
    decide: (v) => progressing(v.state, modelCause(v).reason, modelCause(v).message),
  },
  {
    name: 'rolled-back',
    phase: 'RollingBack',
    when: 'the gateway has programmed the route without the candidate',
    effect: 'RolledBack: its pods go',
    applies: (v) => inPhase(v, 'RollingBack') && isProgrammed(v.world, backendsOf(v.state)),
    decide: remember,
  },
  {
    name: 'rolling-back',
    phase: 'RollingBack',
    when: 'the gateway has not told yet',
    effect: 'hold: the pods stay for requests under way',
    applies: (v) => inPhase(v, 'RollingBack'),
    decide: (v) =>
      progressing(v.state, 'RollingBack', 'The gateway has not yet programmed the route without the candidate.'),
  },
];

export const WAY_IN: readonly Rule[] = [
  {
    name: 'in-sync',
    phase: 'Idle, Complete, RolledBack',
    when: 'the stable revision is the one the spec asks for',
    effect: 'nothing; what an earlier rollout left is removed once the route does not name it',
    applies: (v) => liveCandidate(v.state) === undefined && v.state.stable?.revision === (wanted(v) ?? ''),
    decide: (v) => ({
      state: inPhase(v, 'RolledBack') ? withoutCandidate(v.state) : v.state,
      tone: 'Done',
      cause: { reason: 'Complete', message: 'The desired version is live.' },
    }),
  },
  {
    name: 'stay-rolled-back',
    phase: 'RolledBack',
    when: 'the spec still asks for the revision that was rolled back',
    effect: 'Stalled=True (RolledBack) until the spec changes or a person asks to retry',
    applies: (v) => inPhase(v, 'RolledBack') && !targetChanged(v),
    decide: remember,
  },
  {
    name: 'refuse-rejected',
    phase: 'Idle, Complete, RolledBack',
    when: 'the spec asks for a revision that was rolled back before',
    effect: 'Stalled=True (RejectedVersion) until the spec changes or a person asks to retry',
    applies: (v) => liveCandidate(v.state) === undefined && rejectionOf(v, wanted(v)) !== undefined,
    decide: refuse,
  },
  {
    name: 'await-model',
    phase: 'Idle, Complete, RolledBack',
    when: 'the ModelVersion of the spec is missing or not Ready',
    effect: 'wait; what serves goes on. Refused: Stalled=True (ModelVersionRefused)',
    applies: (v) => liveCandidate(v.state) === undefined && v.world.target.state !== 'Ready',
    decide: awaitModel,
  },
  {
    name: 'start',
    phase: 'Idle, Complete, RolledBack',
    when: 'the spec asks for a Ready revision that is not stable',
    effect: 'Preparing with a new rolloutID',
    applies: (v) => liveCandidate(v.state) === undefined,
    decide: start,
  },
];
