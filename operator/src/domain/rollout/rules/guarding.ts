import { failedGuard, holdingGuard } from '../../guards/acting.ts';
import { guardCause, guardSentence } from '../../guards/sentence.ts';
import { type Decision, liveCandidate, progressing, type Rule, theCandidate, type View } from '../decision.ts';
import { asksToPromote } from '../people.ts';
import type { GuardStatus } from '../world.ts';
import { hold } from './holding.ts';
import { place, title } from './telling.ts';

type Verdict = GuardStatus['verdict'];

const held = ({ world, state, guards }: View, verdict: Verdict): GuardStatus | undefined => {
  const candidate = liveCandidate(state);
  return candidate && holdingGuard(world, candidate, guards, verdict);
};
const failed = ({ world, state, guards }: View): GuardStatus | undefined => {
  const candidate = liveCandidate(state);
  return candidate && failedGuard(world, candidate, guards);
};

const holdFor = (view: View, verdict: Verdict, reason: string): Decision => {
  const guard = held(view, verdict);
  const why = guard === undefined ? '' : guardSentence(guard);
  return progressing(view.state, reason, `${title(view)} stays at ${place(theCandidate(view))}: ${why}.`);
};

/** A verdict keeps a candidate where it is, unless a person who looked asked to promote it. */
const holds = (view: View, verdict: Verdict): boolean =>
  liveCandidate(view.state) !== undefined &&
  !asksToPromote(view.world, view.state) &&
  held(view, verdict) !== undefined;

export const HOLD_FAILED: Rule = {
  name: 'hold-failed',
  phase: 'Shadowing, Previewing, Shifting, Baking',
  when: 'a guard fails, and `onFail: Hold`',
  effect: 'hold with Stalled=True and Paused=True (GuardFailed) until a person acts; promote does not help, abort does',
  applies: (v) => failed(v) !== undefined,
  decide: (v) => {
    const guard = failed(v);
    return hold(v, guard === undefined ? { reason: 'GuardFailed', message: '' } : guardCause(guard), 'Stalled');
  },
};

/** Holds while a guard says `verdict`, and tells it as `reason`. */
const heldBy = (verdict: Verdict, reason: string, said: Pick<Rule, 'name' | 'when' | 'effect'>): Rule => ({
  ...said,
  phase: 'Shadowing, Previewing, Shifting, Baking',
  applies: (v) => holds(v, verdict),
  decide: (v) => holdFor(v, verdict, reason),
});

/** What is not known never promotes, and by default never rolls back either. */
export const HELD_BY_GUARDS: readonly Rule[] = [
  heldBy('SharedFault', 'SharedFault', {
    name: 'hold-shared-fault',
    when: 'a guard finds the same fault in the stable version (SharedFault)',
    effect: 'hold: the candidate is not to blame',
  }),
  heldBy('Blind', 'GuardBlind', {
    name: 'hold-blind',
    when: 'a guard is Blind: no traffic, or its source can not be read',
    effect: 'hold: blindness neither promotes nor rolls back',
  }),
  heldBy('NeedMore', 'GuardNeedsMore', {
    name: 'hold-inconclusive',
    when: 'a guard needs more requests',
    effect: 'hold',
  }),
];
