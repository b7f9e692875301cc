import type { Guard, GuardKind, GuardVerdict } from '@slipway/crds';
import type { Finding } from './finding.ts';
import type { QuestionRisks } from './risks.ts';
import type { Phase, Sight } from './sight.ts';

/**
 * How a candidate stands that was not failed. Suspicious: it would be, at the much larger risk SUSPICION. Clear: it shows
 * nothing beyond its limit.
 */
export type Doubt = 'Suspicious' | 'Open' | 'Clear';

/** One question of a guard. */
export interface Question {
  /** Whether a wrong Fail is possible by chance, so that it needs a part of the risk. */
  readonly isChance: boolean;
  readonly answer: (sight: Sight, risks: QuestionRisks) => Finding;
  /** Absent: copies of requests would not help to answer it. */
  readonly doubt?: (sight: Sight) => Doubt;
}

/** All there is to a kind of guard. */
export interface Kind<Asked> {
  readonly questions: (asked: Asked, name: string) => readonly Question[];
  /** Phases in which it is judged; a Fail acts in all of them. */
  readonly phases: readonly Phase[];
  /** Verdicts on which a candidate in this phase stays where it is. */
  readonly holds: (phase: Phase, asked: Asked) => readonly GuardVerdict[];
}

export type Asked<K extends GuardKind> = NonNullable<Guard[K]>;

/** Phases in which a candidate gets requests, copies and previews included. */
export const WHERE_ASKED: readonly Phase[] = ['Shadowing', 'Previewing', 'Shifting', 'Baking'];

/** Everything short of a Pass, but for a Fail, which has rules of its own. */
export const UNDECIDED: readonly GuardVerdict[] = ['SharedFault', 'Blind', 'NeedMore'];

/** A question about requests waits for them, but in a preview, which nobody need ever ask for. */
export const holdsOnRequests = (phase: Phase): readonly GuardVerdict[] =>
  phase === 'Previewing' ? ['SharedFault', 'Blind'] : UNDECIDED;
