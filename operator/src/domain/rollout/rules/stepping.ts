import { joined } from '../../registry/approvals.ts';
import { type Decision, inPhase, progressing, type Rule, theCandidate, type View } from '../decision.ts';
import { exposureOf, exposureText, levelOf } from '../exposure.ts';
import { isSilent, observedAgrees, observedSplit } from '../observed.ts';
import { asksToPromote } from '../people.ts';
import { routesOf } from '../routes.ts';
import { exposureWanted, isDue, isOwed, podsAreTheWeight, podsWanted, reachable } from '../sizing.ts';
import { approvalsOf, isApproved, isLastStep, peopleFor, stepAt, stepRemainsMs } from '../steps.ts';
import { backendsOf, isProgrammed } from '../weights.ts';
import { guardsHeld, startBake } from './baking.ts';
import { HELD_BY_GUARDS } from './guarding.ts';
import { atApproval, isReachable, lastStep, moveTo, stepsOf } from './moving.ts';
import { caveat, factsOf, note, place, title, trouble } from './telling.ts';

const STEPS = ['Shadowing', 'Previewing', 'Shifting'] as const;
const inStep = (view: View): boolean => inPhase(view, ...STEPS);
const isShown = (view: View): boolean => inPhase(view, ...STEPS, 'Baking');
const owed = (view: View): boolean => inStep(view) && isOwed(view.world, view.state, theCandidate(view));
const asked = (view: View) => exposureWanted(view.world, view.state, theCandidate(view));
const isLess = (view: View): boolean => owed(view) && levelOf(asked(view)) < levelOf(exposureOf(theCandidate(view)));
const isPromoted = ({ world, state }: View): boolean => asksToPromote(world, state);

function grow(view: View): Decision {
  const { ready, ...facts } = factsOf(view);
  const [candidate, needed] = [theCandidate(view), podsWanted(view.world, view.state, theCandidate(view))];
  const what = owed(view) ? exposureText(asked(view)) : place(candidate);
  const unseen = ready > reachable({ ready, ...facts }) ? ` Its Service knows of ${facts.endpoints} of them.` : '';
  return progressing(
    view.state,
    facts.trouble?.reason ?? 'WaitingForPods',
    `${ready} of ${needed} pods of ${title(view)} are ready for ${what}.${unseen}${trouble({ ready, ...facts })}`,
  );
}

/** Of `by` in the history; the message has all of it. */
const LONGEST_NAMES = 256;

function approve(view: View): Decision {
  const { step, digest } = theCandidate(view);
  const given = approvalsOf(view.world, theCandidate(view));
  const by = joined(given.map((approval) => approval.by));
  const comments = given.flatMap(({ comment }) => comment ?? []);
  const why = comments.length === 0 ? '' : ` (${comments.join('; ')})`;
  const at = place(theCandidate(view));
  const message = `: step ${step + 1} was approved at ${at} by ${by}${why}.`;
  const approved = note(view, { reason: 'Approved', action: 'Approve', from: 'AwaitingApproval', to: at, message });
  const decision = moveTo(view, step + 1, `${by} approved step ${step + 1}${why}.`);
  return { ...decision, note: { ...(decision.note ?? approved), by: by.slice(0, LONGEST_NAMES), digest } };
}

/** Whom it waits for, and whom it has already. */
function awaited(view: View): string {
  const needed = peopleFor(stepAt(stepsOf(view), theCandidate(view).step));
  if (needed === 1) return 'a person';
  const given = approvalsOf(view.world, theCandidate(view)).map(({ by }) => by);
  return given.length === 0 ? `${needed} people` : `${needed} people, of whom ${joined(given)} approved`;
}

/** The flag in the status, and not the condition, tells whether it was told: the next approval step is another wait. */
function awaitApproval(view: View): Decision {
  const candidate = theCandidate(view);
  const message = `${title(view)} waits at ${place(candidate)} for ${awaited(view)}: kubectl slipway approve infs/${view.world.name ?? 'NAME'}, or add {rolloutID: ${view.state.rolloutID}, step: ${candidate.step}, digest, by, at} to spec.approvals.`;
  const cause = { reason: 'AwaitingApproval', message };
  const state = { ...view.state, candidate: { ...candidate, awaitingApproval: true } };
  const decision: Decision = { state, tone: 'Progressing', cause, paused: cause };
  if (candidate.awaitingApproval === true) return decision;
  const { digest } = candidate;
  return {
    ...decision,
    note: { type: 'Normal', action: 'Wait', from: place(candidate), to: 'AwaitingApproval', digest, ...cause },
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

const awaitRoute = (view: View): Decision => {
  const { route } = view.world;
  return route.state === 'Refused'
    ? progressing(view.state, route.reason, route.message)
    : progressing(
        view.state,
        'RouteNotProgrammed',
        `The gateway has not yet programmed ${place(theCandidate(view))} for ${title(view)}.${caveat(route)}`,
      );
};

const BY_PERSON = 'a person asked to promote it.';

/** Pods and route, before anything is judged. */
const GIVING: readonly Rule[] = [
  {
    name: 'await-capacity',
    phase: 'Shadowing, Previewing, Shifting, Baking',
    when: 'fewer pods can be reached than what the candidate has, or the step asks for, needs',
    effect: 'hold, add pods; a step that asks for more has the progress deadline',
    applies: (v) => isShown(v) && !isLess(v) && !isReachable(v),
    decide: grow,
  },
  {
    name: 'show-less',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'the spec was changed, and the step asks for less than the candidate has',
    effect: 'give less at once; the time of the step begins',
    applies: isLess,
    decide: (v) => moveTo(v, theCandidate(v).step, 'the spec asks for less.'),
  },
  {
    name: 'shift',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'the candidate passed the steps before, and the pods for this one are there',
    effect: 'give what the step asks for; its time begins',
    applies: (v) => inStep(v) && isDue(v.world, v.state, theCandidate(v)),
    decide: (v) => moveTo(v, theCandidate(v).step, 'its pods are ready.'),
  },
  {
    name: 'await-route',
    phase: 'Shadowing, Previewing, Shifting, Baking',
    when: 'the gateway has not programmed these weights and header routes (with provider: Replicas new pods change them, and lead on)',
    effect: 'hold',
    applies: (v) =>
      isShown(v) &&
      !(owed(v) && podsAreTheWeight(v.world.spec)) &&
      !isProgrammed(v.world, backendsOf(v.state), routesOf(v.world.spec, v.state)),
    decide: awaitRoute,
  },
];

const STEPPING: readonly Rule[] = [
  {
    name: 'show-more',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'the spec was changed, the step asks for more than the candidate has, and no guard holds',
    effect: 'give what the step asks for; its time begins',
    applies: owed,
    decide: (v) => moveTo(v, theCandidate(v).step, 'the spec asks for more.'),
  },
  {
    name: 'approve',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'an approval step, and spec.approvals names this rollout, step and digest, by as many people as the step asks for',
    effect: 'next step; the history says by whom',
    applies: (v) => inStep(v) && atApproval(v) && isApproved(v.world, theCandidate(v)),
    decide: approve,
  },
  {
    name: 'await-approval',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'an approval step',
    effect: 'hold with awaitingApproval and Paused=True (AwaitingApproval), guards armed',
    applies: (v) => inStep(v) && atApproval(v),
    decide: awaitApproval,
  },
  {
    name: 'await-split',
    phase: 'Shifting',
    when: 'the requests counted by the pods are outside the band around the weight',
    effect: 'hold',
    applies: (v) => inPhase(v, 'Shifting') && !observedAgrees(v.world, theCandidate(v)),
    decide: holdForSplit,
  },
  {
    name: 'hold-time',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'the step has not lasted for its `for`',
    effect: 'hold',
    applies: (v) => inStep(v) && stepRemainsMs(v.world, theCandidate(v)) > 0,
    decide: (v) =>
      progressing(
        v.state,
        'StepHolding',
        `${title(v)} stays at ${place(theCandidate(v))} for ${stepAt(stepsOf(v), theCandidate(v).step).for} at least.`,
      ),
  },
  {
    name: 'start-bake',
    phase: 'Shifting',
    when: 'every guard passes at the last step',
    effect: 'Baking: stable keeps its pods, guards stay armed',
    applies: (v) => inPhase(v, 'Shifting') && isLastStep(stepsOf(v), theCandidate(v).step),
    decide: (v) => startBake(v),
  },
  {
    name: 'advance',
    phase: 'Shadowing, Previewing, Shifting',
    when: 'every guard passes and desired, programmed and observed agree',
    effect: 'next step',
    applies: inStep,
    decide: (v) => moveTo(v, theCandidate(v).step + 1, guardsHeld(v)),
  },
];

function promoteNow(view: View): Decision {
  const { step } = theCandidate(view);
  const isLast = isLastStep(stepsOf(view), step);
  return isLast && !owed(view) ? startBake(view, BY_PERSON) : moveTo(view, isLast ? step : lastStep(view), BY_PERSON);
}

const PROMOTED: Rule = {
  name: 'promote-by-person',
  phase: 'Shadowing, Previewing, Shifting',
  when: 'the annotation promote names this rollout (from Baking on it only waits for no verdict)',
  effect: 'the last step at once, then the bake; steps, approvals and guards that have not decided are skipped',
  applies: (v) => inStep(v) && isPromoted(v),
  decide: promoteNow,
};

/** Each rule is one reason to wait, or one step on. */
export const STEPPING_ON: readonly Rule[] = [...GIVING, PROMOTED, ...HELD_BY_GUARDS, ...STEPPING];
