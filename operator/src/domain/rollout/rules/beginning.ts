import { rfc3339 } from '../../../kube/conditions.ts';
import { type Decision, progressing, type RolloutState, type View } from '../decision.ts';
import { capacity, sizingOf } from '../sizing.ts';
import type { CandidateStatus, Target } from '../world.ts';
import { titleOf } from './telling.ts';

/** New each time, also in the same second or with a clock that was set back: no old approval or wish may fit it. */
function newRolloutID({ state, world }: View, revision: string): string {
  const used = [state.rolloutID, state.stable?.rolloutID];
  let second = Math.floor(world.now.getTime() / 1000);
  while (used.includes(`${revision}-${second.toString(36)}`)) second += 1;
  return `${revision}-${second.toString(36)}`;
}

/** A rollout of a version from its beginning. */
export function begin(view: View, target: Target, more: Partial<CandidateStatus> = {}): RolloutState {
  const { world, state } = view;
  const { version, digest = '', revision = '' } = target;
  const made = state.stable !== undefined && sizingOf(world.spec) !== 'Beside';
  const candidate: CandidateStatus = {
    version,
    digest,
    revision,
    phase: 'Preparing',
    step: 0,
    startedAt: rfc3339(world.now),
    weight: 0,
    ...(made && state.stable !== undefined ? { capacity: capacity(world, { stable: state.stable }) } : {}),
    ...more,
  };
  return { ...state, candidate, rolloutID: newRolloutID(view, revision) };
}

export function start(view: View): Decision {
  const { target } = view.world;
  const from = view.state.stable?.version ?? 'Idle';
  const state = begin(view, target);
  const gap = view.world.spec.rollout.surge === 'Never' && state.candidate?.capacity === 1;
  const { stable } = view.state;
  const beside = stable === undefined ? 'as the first version' : `beside ${stable.version}`;
  const message = gap
    ? `${titleOf(view, target)} takes the place of ${from}: there is one pod, so that no request is answered until it is ready.`
    : `${titleOf(view, target)} is made ready ${beside}.`;
  return {
    ...progressing(state, 'PreparingCandidate', message),
    note: {
      type: 'Normal',
      reason: 'RolloutStarted',
      action: 'Start',
      message,
      from,
      to: target.version,
      ...(target.digest === undefined ? {} : { digest: target.digest }),
    },
  };
}
