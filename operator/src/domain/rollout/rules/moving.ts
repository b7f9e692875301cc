import { rfc3339 } from '../../../kube/conditions.ts';
import { type Decision, type Note, progressing, theCandidate, type View } from '../decision.ts';
import { type Exposure, exposureAt, exposureOf, exposureText, levelOf } from '../exposure.ts';
import { podsFor, podsWanted, reachable } from '../sizing.ts';
import { stepAt } from '../steps.ts';
import type { CandidateStatus } from '../world.ts';
import { factsOf, note, place, title } from './telling.ts';

export const stepsOf = ({ world }: View) => world.spec.rollout.steps;
export const lastStep = (view: View): number => stepsOf(view).length - 1;

const shownAs = (candidate: CandidateStatus, { phase, weight, shadow }: Exposure): CandidateStatus => {
  const { shadow: _before, awaitingApproval: _was, ...rest } = candidate;
  return { ...rest, phase, weight, ...(shadow === undefined ? {} : { shadow }) };
};

/** Enters a step. What it shows is given at once where the pods for it are there, and otherwise when they are. */
function enter(view: View, step: number): CandidateStatus {
  const candidate = theCandidate(view);
  const now = exposureOf(candidate);
  const next = exposureAt(stepsOf(view), step, now);
  const fits = reachable(factsOf(view)) >= podsFor(view.world, view.state, next);
  const given = levelOf(next) <= levelOf(now) || fits ? next : now;
  return { ...shownAs(candidate, given), step, stepStartedAt: rfc3339(view.world.now) };
}

const changed = (view: View, before: CandidateStatus, after: CandidateStatus, message: string): Note => {
  const reason =
    after.phase === 'Shadowing' ? 'ShadowStarted' : after.phase === 'Previewing' ? 'PreviewStarted' : 'WeightChanged';
  return note(view, { reason, action: 'Shift', from: place(before), to: place(after), message });
};

/** Enters a step; told when it changes what the candidate is shown to, as one that waits for pods is told when it has them. */
export function moveTo(view: View, step: number, why: string): Decision {
  const before = theCandidate(view);
  const after = enter(view, step);
  const of = `step ${step + 1} of ${stepsOf(view).length}`;
  const decision = progressing({ ...view.state, candidate: after }, after.phase, `${title(view)} enters ${of}.`);
  const [from, to] = [exposureText(exposureOf(before)), exposureText(exposureOf(after))];
  if (from === to && before.phase !== 'Preparing') return decision;
  if (from === to) return decision;
  const weights =
    before.weight === after.weight ? `goes on to ${to}` : `goes from ${before.weight}% to ${after.weight}%`;
  return { ...decision, note: changed(view, before, after, `${weights} (${of}): ${why}`) };
}

export const isReachable = (view: View): boolean =>
  reachable(factsOf(view)) >= podsWanted(view.world, view.state, theCandidate(view));

export const atApproval = (view: View): boolean => stepAt(stepsOf(view), theCandidate(view).step).approval === true;
