import { rfc3339 } from '../../../kube/conditions.ts';
import { guardSentence } from '../../guards/sentence.ts';
import { type Decision, inPhase, progressing, type Rule, theCandidate, type View } from '../decision.ts';
import { bakeRemainsMs } from '../steps.ts';
import { note, title, versionOf, withCandidate } from './telling.ts';

export const guardsHeld = ({ guards }: View): string =>
  guards.length === 0 ? 'no guard has anything to say.' : `${guards.map(guardSentence).join('; ')}.`;

/** The candidate becomes stable as it stands: the same Deployment, the same pods, the same route. */
export function promote(view: View): Decision {
  const candidate = theCandidate(view);
  const { stable: before, rolloutID } = view.state;
  const from = before?.version ?? 'Idle';
  const state = withCandidate(view, { phase: 'Complete', weight: 100, guards: [...view.guards] });
  return {
    state: {
      ...state,
      stable: { ...versionOf(candidate), ...(rolloutID === undefined ? {} : { rolloutID }) },
      ...(before === undefined ? {} : { previous: versionOf(before) }),
    },
    tone: 'Done',
    cause: { reason: 'Complete', message: 'The desired version is live.' },
    note: note(view, {
      reason: 'Promoted',
      action: 'Promote',
      from,
      to: candidate.version,
      message: before === undefined ? 'is stable now, as the first version.' : `is stable now, after ${from}.`,
      digest: candidate.digest,
    }),
  };
}

export function startBake(view: View, why = guardsHeld(view)): Decision {
  const message = `bakes at 100% for ${view.world.spec.rollout.bake}: ${why}`;
  const state = withCandidate(view, { phase: 'Baking', weight: 100, stepStartedAt: rfc3339(view.world.now) });
  return {
    ...progressing(state, 'Baking', `${title(view)} ${message}`),
    note: note(view, { reason: 'BakeStarted', action: 'Bake', from: 'Shifting 100%', to: 'Baking', message }),
  };
}

/** All traffic is the candidate's, and the way back is still open. */
export const BAKING: readonly Rule[] = [
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
    when: 'the bake is over and every guard passes, or a person asked to promote and none fails',
    effect: 'Complete: the candidate is stable, no pod restarts',
    applies: (v) => inPhase(v, 'Baking'),
    decide: promote,
  },
];
