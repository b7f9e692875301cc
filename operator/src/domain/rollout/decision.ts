import type { CandidateStatus, Cause, GuardStatus, Rejection, StableStatus, World } from './world.ts';

/** The part of the status that a rule may change. Everything else in it is derived from this and the world. */
export interface RolloutState {
  readonly rolloutID?: string;
  readonly stable?: StableStatus;
  /** The version that was stable before: where a rollback after the promotion leads. */
  readonly previous?: StableStatus;
  readonly candidate?: CandidateStatus;
  readonly rejected: readonly Rejection[];
  /** Value of the retry annotation that was acted on, so that one annotation clears one rejection once. */
  readonly lastHandledRetry?: string;
}

/** What a rule looks at: the world, the state as stored, and this pass's verdicts. */
export interface View {
  readonly world: World;
  readonly state: RolloutState;
  readonly guards: readonly GuardStatus[];
}

/** Something decided, told as an Event and kept in the history. */
export interface Note extends Cause {
  readonly type: 'Normal' | 'Warning';
  /** What was done, as an Event's action. */
  readonly action: string;
  readonly from: string;
  readonly to: string;
  /** Who decided, where a person did and is known. */
  readonly by?: string;
  /** Artifact digest that it is about. */
  readonly digest?: string;
}

/**
 * What a rule decided. Done: the desired version is live. Progressing: the pass is to be repeated, for `cause`. Stalled:
 * only a person or a new spec gets it moving again.
 */
export interface Decision {
  readonly state: RolloutState;
  readonly tone: 'Done' | 'Progressing' | 'Stalled';
  readonly cause: Cause;
  readonly note?: Note;
  /** A person, an approval step or a window keeps the rollout where it is, although it could go on. */
  readonly paused?: Cause;
  /** Something in the spec that will not work, though nothing needs it now: Stalled=True beside whatever else is true. */
  readonly fault?: Cause;
  /** Milliseconds until the pass is to be repeated, where that is not the time between two looks. */
  readonly againMs?: number;
}

export interface Rule {
  readonly name: string;
  /** For the generated document: phases the rule is for, what must hold, and what it does. */
  readonly phase: string;
  readonly when: string;
  readonly effect: string;
  readonly applies: (view: View) => boolean;
  readonly decide: (view: View) => Decision;
}

const LIVE: readonly CandidateStatus['phase'][] = ['Preparing', 'Shadowing', 'Previewing', 'Shifting', 'Baking'];

interface Held {
  readonly candidate?: CandidateStatus | undefined;
}

/** The candidate while it is on its way: neither arrived nor on the way out. */
export const liveCandidate = ({ candidate }: Held): CandidateStatus | undefined =>
  candidate !== undefined && LIVE.includes(candidate.phase) ? candidate : undefined;

export const inPhase = ({ state }: View, ...phases: readonly CandidateStatus['phase'][]): boolean =>
  state.candidate !== undefined && phases.includes(state.candidate.phase);

/** The candidate of a rule that applies only where there is one. */
export function theCandidate({ state }: View): CandidateStatus {
  if (state.candidate === undefined) throw new Error('a rule for a candidate was applied without one');
  return state.candidate;
}

/** The same state without its candidate. */
export const withoutCandidate = ({ candidate: _gone, ...state }: RolloutState): RolloutState => state;

export const progressing = (state: RolloutState, reason: string, message: string): Decision => ({
  state,
  tone: 'Progressing',
  cause: { reason, message },
});

export const stalled = (state: RolloutState, { reason, message }: Cause): Decision => ({
  state,
  tone: 'Stalled',
  cause: { reason, message },
});
