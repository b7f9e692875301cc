import { PORTS } from '@slipway/crds/contract';
import { rfc3339 } from '../../../kube/conditions.ts';
import { type Decision, inPhase, progressing, type Rule, stalled, theCandidate, type View } from '../decision.ts';
import { failureOf } from '../failure.ts';
import { asksToPromote } from '../people.ts';
import { isHidden, isOwed, podsWanted } from '../sizing.ts';
import { wasHeld } from '../steps.ts';
import { promote } from './baking.ts';
import { lastStep, moveTo } from './moving.ts';
import { factsOf, title, trouble } from './telling.ts';

const podsNeeded = (view: View): number => podsWanted(view.world, view.state, theCandidate(view));
const podsReady = (view: View): boolean => factsOf(view).ready >= podsNeeded(view);

/** A candidate that needs no pod yet is asked before its first exposure. */
const digestReported = (view: View): boolean => {
  const { revision, digest } = theCandidate(view);
  const { answering = 0, digests = [] } = view.world.evidence[revision] ?? {};
  return podsNeeded(view) === 0 || (answering >= podsNeeded(view) && digests.length === 1 && digests[0] === digest);
};

function waitForPods(view: View): Decision {
  const facts = factsOf(view);
  const message = `${facts.ready} of ${podsNeeded(view)} pods of ${title(view)} are ready.${trouble(facts)}`;
  const { state, world } = view;
  const began = wasHeld(world) ? { ...theCandidate(view), stepStartedAt: rfc3339(world.now) } : theCandidate(view);
  return progressing({ ...state, candidate: began }, facts.trouble?.reason ?? 'WaitingForPods', message);
}

function waitForDigest(view: View): Decision {
  const { answering = 0 } = view.world.evidence[theCandidate(view).revision] ?? {};
  const told = `${answering} of ${podsNeeded(view)} pods of ${title(view)} have told which digest they serve.`;
  const mend = `Let the operator's namespace reach port ${PORTS.admin} of them, or set SLIPWAY_EVIDENCE=prometheus.`;
  return progressing(view.state, 'DigestNotReported', answering === 0 ? `${told} ${mend}` : told);
}

/** A guard whose query nobody has tried yet: it may be one that can't be asked, and then the candidate gets no user. */
const untried = ({ world: { external = {}, spec } }: View): string | undefined =>
  spec.rollout.observe === true
    ? undefined
    : spec.rollout.guards?.find(({ name, observe }) => observe !== true && external[name]?.kind === 'Untried')?.name;

const firstFailure = (view: View) =>
  view.state.stable === undefined ? failureOf(view.world, theCandidate(view), view.guards) : undefined;

export const FIRST_VERSION_FAILS: Rule = {
  name: 'first-version-fails',
  phase: 'Preparing',
  when: 'there is no stable version and the candidate fails as in roll-back',
  effect: 'Ready=False and Stalled=True name the cause; there is nothing to go back to',
  applies: (v) => inPhase(v, 'Preparing') && firstFailure(v) !== undefined,
  decide: (v) => stalled(v.state, firstFailure(v) ?? { reason: 'Failed', message: '' }),
};

/** Before a candidate is shown to anybody. */
export const PREPARING: readonly Rule[] = [
  {
    name: 'await-pods',
    phase: 'Preparing',
    when: 'fewer pods are ready than the first step needs',
    effect: 'wait, naming what keeps them (InsufficientAccelerator with the missing number)',
    applies: (v) => inPhase(v, 'Preparing') && !podsReady(v),
    decide: waitForPods,
  },
  {
    name: 'await-digest',
    phase: 'Preparing, Shifting at 0%',
    when: 'not every pod that the first exposure needs has told that it serves the digest of the spec',
    effect: 'wait',
    applies: (v) =>
      (inPhase(v, 'Preparing') ||
        (inPhase(v, 'Shifting') &&
          isHidden(theCandidate(v)) &&
          podsReady(v) &&
          isOwed(v.world, v.state, theCandidate(v)))) &&
      !digestReported(v),
    decide: waitForDigest,
  },
  {
    name: 'serve-first-version',
    phase: 'Preparing',
    when: 'there is no stable version',
    effect: 'Complete: it becomes stable at once, as there is nothing to compare it with',
    applies: (v) => inPhase(v, 'Preparing') && v.state.stable === undefined,
    decide: promote,
  },
  {
    name: 'await-queries',
    phase: 'Preparing',
    when: 'the query of a guard, as it is worded now, was never tried',
    effect: 'wait for its first answer, or for its time to be over',
    applies: (v) => inPhase(v, 'Preparing') && untried(v) !== undefined,
    decide: (v) =>
      progressing(
        v.state,
        'QueryNotTried',
        `${title(v)} waits: the query of guard ${untried(v)} was not answered yet.`,
      ),
  },
  {
    name: 'enter-first-step',
    phase: 'Preparing',
    when: 'the pods are ready and report the right digest',
    effect: 'Shadowing, Previewing or Shifting at step 0; at the last step where a person asked to promote',
    applies: (v) => inPhase(v, 'Preparing'),
    decide: (v) =>
      moveTo(
        v,
        asksToPromote(v.world, v.state) ? lastStep(v) : 0,
        'its pods are ready and report the digest of the spec.',
      ),
  },
];
