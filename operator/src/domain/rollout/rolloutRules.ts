import { rfc3339 } from '../../kube/conditions.ts';
import { guardSentence } from '../guards/sentence.ts';
import {
  type Decision,
  inPhase,
  type Note,
  progressing,
  type RolloutState,
  type Rule,
  stalled,
  theCandidate,
  type View,
} from './decision.ts';
import { failureOf } from './failure.ts';
import { isSilent, observedAgrees, observedSplit } from './observed.ts';
import { approvalOf, bakeRemainsMs, isLastStep, stepAt, stepRemainsMs, weightDuring } from './steps.ts';
import { backendsOf, isProgrammed, replicasFor, replicasOf } from './weights.ts';
import type { CandidateStatus, GuardStatus, RevisionFacts } from './world.ts';

const NO_PODS: RevisionFacts = { replicas: 0, ready: 0 };
const factsOf = (view: View): RevisionFacts => view.world.revisions[theCandidate(view).revision] ?? NO_PODS;
const title = (view: View): string => `${view.world.target.name} ${theCandidate(view).version}`;

const withCandidate = (view: View, change: Partial<CandidateStatus>): RolloutState => {
  const { awaitingApproval: _was, ...candidate } = theCandidate(view);
  return { ...view.state, candidate: { ...candidate, ...change } };
};

const podsWanted = (view: View): number => replicasOf(view.world, view.state)[theCandidate(view).revision] ?? 1;
const podsReady = (view: View): boolean => factsOf(view).ready >= podsWanted(view);

const digestReported = (view: View): boolean => {
  const evidence = view.world.evidence[theCandidate(view).revision];
  return (evidence?.answering ?? 0) >= podsWanted(view) && evidence?.digests.length === 1;
};

function waitForPods(view: View): Decision {
  const { ready, trouble } = factsOf(view);
  const message = `${ready} of ${podsWanted(view)} pods of ${title(view)} are ready.`;
  return trouble === undefined
    ? progressing(view.state, 'WaitingForPods', message)
    : progressing(view.state, trouble.reason, `${message} ${trouble.message}.`);
}

const firstFailure = (view: View) =>
  view.state.stable === undefined ? failureOf(view.world, theCandidate(view), view.guards) : undefined;

const note = (view: View, action: string, reason: string, from: string, to: string, message: string): Note => ({
  type: 'Normal',
  reason,
  action,
  from,
  to,
  message: `${title(view)}: ${message}`,
});

const versionOf = ({ version, digest, revision }: CandidateStatus) => ({ version, digest, revision });

/** The candidate becomes stable as it stands: the same Deployment, the same pods, the same route. */
function promote(view: View): Decision {
  const candidate = theCandidate(view);
  const from = view.state.stable?.version ?? 'Idle';
  const state = withCandidate(view, { phase: 'Complete', weight: 100, guards: [...view.guards] });
  return {
    state: { ...state, stable: versionOf(candidate) },
    tone: 'Done',
    cause: { reason: 'Complete', message: 'The desired version is live.' },
    note: note(view, 'Promote', 'Promoted', from, candidate.version, `is stable now, after ${from}.`),
  };
}

/** Enters a step. Its weight is given at once where the pods for it are ready, and otherwise when they are. */
function enterStep(view: View, step: number): Partial<CandidateStatus> {
  const { weight } = theCandidate(view);
  const next = weightDuring(view.world.spec.rollout.steps, step, weight);
  const fits = factsOf(view).ready >= replicasFor(view.world, next);
  return {
    phase: 'Shifting',
    step,
    stepStartedAt: rfc3339(view.world.now),
    weight: next === weight || fits ? next : weight,
  };
}

/** Enters a step; told when it changes the weight, as one that waits for pods is told when it has them. */
function moveTo(view: View, step: number, why: string): Decision {
  const before = theCandidate(view);
  const change = enterStep(view, step);
  const of = `step ${step + 1} of ${view.world.spec.rollout.steps.length}`;
  const decision = progressing(withCandidate(view, change), 'Shifting', `${title(view)} enters ${of}.`);
  if (change.weight === before.weight) return decision;
  const from = before.phase === 'Shifting' ? `Shifting ${before.weight}%` : before.phase;
  const message = `goes from ${before.weight}% to ${change.weight}% (${of}): ${why}`;
  return { ...decision, note: note(view, 'Shift', 'WeightChanged', from, `Shifting ${change.weight}%`, message) };
}

function approve(view: View): Decision {
  const { step, weight, digest } = theCandidate(view);
  const { by = 'a person', comment } = approvalOf(view.world, theCandidate(view)) ?? {};
  const why = comment === undefined ? '' : ` (${comment})`;
  const message = `step ${step + 1} was approved at ${weight}% by ${by}${why}.`;
  const approved = note(view, 'Approve', 'Approved', 'AwaitingApproval', `Shifting ${weight}%`, message);
  const decision = moveTo(view, step + 1, `${by} approved it${why}.`);
  return { ...decision, note: { ...(decision.note ?? approved), by, digest } };
}

const nextStep = (view: View, why: string): Decision => moveTo(view, theCandidate(view).step + 1, why);

const stepWeight = (view: View): number => {
  const { step, weight } = theCandidate(view);
  return weightDuring(view.world.spec.rollout.steps, step, weight);
};
const weightIsOwed = (view: View): boolean =>
  inPhase(view, 'Shifting') && stepWeight(view) !== theCandidate(view).weight;

function grow(view: View): Decision {
  const { ready, trouble } = factsOf(view);
  const wanted = replicasFor(view.world, stepWeight(view));
  const why = trouble === undefined ? '' : ` ${trouble.reason}: ${trouble.message}.`;
  return progressing(
    view.state,
    'WaitingForPods',
    `${ready} of ${wanted} pods of ${title(view)} are ready for ${stepWeight(view)}%.${why}`,
  );
}

const isShown = (view: View): boolean => inPhase(view, 'Shifting', 'Baking');
const atApproval = (view: View): boolean =>
  inPhase(view, 'Shifting') && stepAt(view.world.spec.rollout.steps, theCandidate(view).step).approval === true;

const guardWith = (view: View, verdict: GuardStatus['verdict']): GuardStatus | undefined =>
  view.guards.find((g) => g.verdict === verdict);

const holdForGuard = (view: View, verdict: GuardStatus['verdict'], reason: string): Decision => {
  const guard = guardWith(view, verdict);
  return progressing(
    view.state,
    reason,
    `${title(view)} stays at ${theCandidate(view).weight}%: ${guard === undefined ? '' : guardSentence(guard)}.`,
  );
};

function awaitApproval(view: View): Decision {
  const candidate = theCandidate(view);
  const message = `${title(view)} waits at ${candidate.weight}% for a person: kubectl slipway approve infs/NAME, or add {rolloutID: ${view.state.rolloutID}, step: ${candidate.step}, digest, by, at} to spec.approvals.`;
  const decision = progressing(withCandidate(view, { awaitingApproval: true }), 'AwaitingApproval', message);
  return candidate.awaitingApproval === true
    ? decision
    : {
        ...decision,
        note: {
          ...note(view, 'Wait', 'AwaitingApproval', `Shifting ${candidate.weight}%`, 'AwaitingApproval', ''),
          message,
        },
      };
}

function holdForSplit(view: View): Decision {
  const candidate = theCandidate(view);
  return isSilent(observedSplit(view.world, candidate))
    ? progressing(
        view.state,
        'WaitingForTraffic',
        `Too few requests were counted since ${title(view)} got ${candidate.weight}% to tell the split.`,
      )
    : progressing(
        view.state,
        'SplitNotObserved',
        `The pods count another split than the ${candidate.weight}% that the route gives ${title(view)}.`,
      );
}

const guardsHeld = (view: View): string =>
  view.guards.length === 0 ? 'no guard is set.' : `${view.guards.map(guardSentence).join('; ')}.`;

function startBake(view: View): Decision {
  const message = `bakes at 100% for ${view.world.spec.rollout.bake}: ${guardsHeld(view)}`;
  const state = withCandidate(view, { phase: 'Baking', weight: 100, stepStartedAt: rfc3339(view.world.now) });
  return {
    ...progressing(state, 'Baking', `${title(view)} ${message}`),
    note: note(view, 'Bake', 'BakeStarted', 'Shifting 100%', 'Baking', message),
  };
}

/** The way of a candidate that nothing speaks against. Each rule is one reason to wait, or one step on. */
export const FORWARD: readonly Rule[] = [
  {
    name: 'first-version-fails',
    phase: 'Preparing',
    when: 'there is no stable version and the candidate fails as in roll-back',
    effect: 'Ready=False and Stalled=True name the cause; there is nothing to go back to',
    applies: (v) => inPhase(v, 'Preparing') && firstFailure(v) !== undefined,
    decide: (v) => stalled(v.state, firstFailure(v) ?? { reason: 'Failed', message: '' }),
  },
  {
    name: 'await-pods',
    phase: 'Preparing',
    when: 'fewer pods are ready than the first step needs',
    effect: 'wait, naming what keeps them',
    applies: (v) => inPhase(v, 'Preparing') && !podsReady(v),
    decide: waitForPods,
  },
  {
    name: 'await-digest',
    phase: 'Preparing',
    when: 'not every pod has told which digest it serves',
    effect: 'wait',
    applies: (v) => inPhase(v, 'Preparing') && !digestReported(v),
    decide: (v) =>
      progressing(
        v.state,
        'DigestNotReported',
        `The pods of ${title(v)} are ready, and the operator can't yet read from them which digest they serve.`,
      ),
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
    name: 'begin-shifting',
    phase: 'Preparing',
    when: 'the pods are ready and report the right digest',
    effect: 'Shifting at step 0',
    applies: (v) => inPhase(v, 'Preparing'),
    decide: (v) => moveTo(v, 0, 'its pods are ready and report the digest of the spec.'),
  },
  {
    name: 'await-capacity',
    phase: 'Shifting',
    when: 'fewer pods are ready than the weight of the step needs',
    effect: 'hold the weight before, add pods',
    applies: (v) => weightIsOwed(v) && factsOf(v).ready < replicasFor(v.world, stepWeight(v)),
    decide: grow,
  },
  {
    name: 'shift',
    phase: 'Shifting',
    when: 'the pods for the weight of the step are ready',
    effect: 'give the weight; the time of the step begins',
    applies: weightIsOwed,
    decide: (v) => moveTo(v, theCandidate(v).step, 'its pods are ready.'),
  },
  {
    name: 'await-route',
    phase: 'Shifting, Baking',
    when: 'the gateway has not programmed these weights',
    effect: 'hold',
    applies: (v) => isShown(v) && !isProgrammed(v.world, backendsOf(v.state)),
    decide: (v) =>
      v.world.route.state === 'Refused'
        ? progressing(v.state, v.world.route.reason, v.world.route.message)
        : progressing(
            v.state,
            'RouteNotProgrammed',
            `The gateway has not yet programmed ${theCandidate(v).weight}% for ${title(v)}.`,
          ),
  },
  {
    name: 'hold-blind',
    phase: 'Shifting, Baking',
    when: 'a guard is Blind: no traffic, or the pods can not be read',
    effect: 'hold: blindness neither promotes nor rolls back',
    applies: (v) => isShown(v) && guardWith(v, 'Blind') !== undefined,
    decide: (v) => holdForGuard(v, 'Blind', 'GuardBlind'),
  },
  {
    name: 'hold-inconclusive',
    phase: 'Shifting, Baking',
    when: 'a guard needs more requests',
    effect: 'hold',
    applies: (v) => isShown(v) && guardWith(v, 'NeedMore') !== undefined,
    decide: (v) => holdForGuard(v, 'NeedMore', 'GuardNeedsMore'),
  },
  {
    name: 'approve',
    phase: 'Shifting',
    when: 'an approval step, and spec.approvals names this rollout, step and digest',
    effect: 'next step',
    applies: (v) => atApproval(v) && approvalOf(v.world, theCandidate(v)) !== undefined,
    decide: approve,
  },
  {
    name: 'await-approval',
    phase: 'Shifting',
    when: 'an approval step',
    effect: 'hold with awaitingApproval, guards armed',
    applies: atApproval,
    decide: awaitApproval,
  },
  {
    name: 'await-split',
    phase: 'Shifting',
    when: 'the requests counted by the pods are outside the binomial band around the weight',
    effect: 'hold',
    applies: (v) => inPhase(v, 'Shifting') && !observedAgrees(v.world, theCandidate(v)),
    decide: holdForSplit,
  },
  {
    name: 'hold-time',
    phase: 'Shifting',
    when: 'the step has not lasted for its `for`',
    effect: 'hold',
    applies: (v) => inPhase(v, 'Shifting') && stepRemainsMs(v.world, theCandidate(v)) > 0,
    decide: (v) =>
      progressing(
        v.state,
        'StepHolding',
        `${title(v)} stays at ${theCandidate(v).weight}% for ${stepAt(v.world.spec.rollout.steps, theCandidate(v).step).for} at least.`,
      ),
  },
  {
    name: 'start-bake',
    phase: 'Shifting',
    when: 'every guard passes at the last step',
    effect: 'Baking: stable keeps its pods, guards stay armed',
    applies: (v) => inPhase(v, 'Shifting') && isLastStep(v.world.spec.rollout.steps, theCandidate(v).step),
    decide: startBake,
  },
  {
    name: 'advance',
    phase: 'Shifting',
    when: 'every guard passes and desired, programmed and observed agree',
    effect: 'next step',
    applies: (v) => inPhase(v, 'Shifting'),
    decide: (v) => nextStep(v, guardsHeld(v)),
  },
  {
    name: 'bake',
    phase: 'Baking',
    when: 'the bake is not over',
    effect: 'hold',
    applies: (v) => inPhase(v, 'Baking') && bakeRemainsMs(v.world, theCandidate(v)) > 0,
    decide: (v) =>
      progressing(
        v.state,
        'Baking',
        `${title(v)} has all traffic and bakes for ${v.world.spec.rollout.bake}; the version before stays warm.`,
      ),
  },
  {
    name: 'promote',
    phase: 'Baking',
    when: 'the bake is over and every guard passes',
    effect: 'Complete: the candidate is stable, no pod restarts',
    applies: (v) => inPhase(v, 'Baking'),
    decide: promote,
  },
];
