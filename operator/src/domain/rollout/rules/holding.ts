import { type Decision, type Note, progressing, stalled, type View } from '../decision.ts';
import type { Cause } from '../world.ts';
import { isTold, place, titleOf } from './telling.ts';

/** What it is about: the candidate, or before there is one the version that the spec asks for. */
const about = (view: View): string => titleOf(view, view.state.candidate ?? view.world.target);
const whereIsIt = ({ state }: View): string =>
  state.candidate === undefined ? (state.stable?.version ?? 'Idle') : place(state.candidate);

const heldNote = (view: View, { reason, message }: Cause): Note => ({
  type: 'Normal',
  reason,
  action: 'Hold',
  message: `${about(view)}: ${message}`,
  from: whereIsIt(view),
  to: reason,
});

/** A rollout that could go on and is kept where it is: Paused=True for this reason, told when it begins. */
export function hold(view: View, cause: Cause, tone: 'Progressing' | 'Stalled' = 'Progressing'): Decision {
  const { reason, message } = cause;
  const decision =
    tone === 'Stalled' ? stalled(view.state, cause) : progressing(view.state, reason, `${about(view)}: ${message}`);
  return { ...decision, paused: cause, ...(isTold(view, reason) ? {} : { note: heldNote(view, cause) }) };
}

export const PAUSED: Cause = {
  reason: 'PausedByPerson',
  message: 'a person paused it, and guards stay armed. It goes on when the annotation slipway.dev/pause goes.',
};
