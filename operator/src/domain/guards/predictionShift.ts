import { judgeShift } from '../analysis/shift.ts';
import { requestsOf } from '../analysis/tally.ts';
import type { Judgement, Risk } from '../analysis/verdict.ts';
import type { PredictionLook } from '../rollout/world.ts';
import { blindness } from './blindness.ts';
import { blinded, byGravity, type Finding, nothing } from './finding.ts';
import { type Asked, holdsOnRequests, type Kind, type Question, WHERE_ASKED } from './question.ts';
import type { Sight } from './sight.ts';
import { ofCandidate } from './tallyRate.ts';

/** Rows of the smaller of the two versions at the first look; each further look doubles them. */
const FIRST_LOOK_ROWS = 100;
const rowsAt = (look: number): number => FIRST_LOOK_ROWS * 2 ** (look - 1);

/** A size of effect with three significant digits. */
const effectText = (value: number): string => String(Number(value.toPrecision(3)));

interface Shift extends Judgement {
  readonly name: string;
}

/** The prediction that shifted most, of those with the gravest verdict. The risk is split over the predictions. */
function worstShift({ look, predictions }: PredictionLook, threshold: number, risk: Risk): Shift | undefined {
  const part = { ...risk, fail: risk.fail / Math.max(1, predictions.length) };
  return predictions
    .map(({ name, candidate, stable }) => ({ name, ...judgeShift(candidate, stable, { threshold, look, risk: part }) }))
    .sort((a, b) => byGravity(a, b) || b.rate - a.rate)[0];
}

/** Predictions that only one version makes, or that the two count in ways that can't be brought together. */
const leftOut = (names: readonly string[] = [], { predictions }: PredictionLook): string => {
  const out = names.filter((name) => !predictions.some((compared) => compared.name === name));
  return out.length === 0 ? '' : `; can't be compared: ${out.join(', ')}`;
};

function shown({ name, verdict, rate, low, high, n }: Shift, look: number, psi: string, out: string): Finding {
  const next = verdict === 'NeedMore' ? `; the next look is at ${rowsAt(look + 1)} rows of each version` : '';
  return {
    verdict,
    rate: effectText(rate),
    low: effectText(low),
    high: effectText(high),
    limit: psi,
    n: Math.round(n),
    message: `PSI of ${name}${next}${out}`,
  };
}

const seeing = (sight: Sight, finding: Finding): Finding =>
  blinded(finding, blindness(sight, requestsOf(ofCandidate(sight, 'sinceStep')), 'requests'));

const unseen = (sight: Sight, psi: string): Finding =>
  seeing(sight, nothing('NeedMore', psi, `the first look is at ${rowsAt(1)} rows of each version`));

const shifted = (psi: string): Question => ({
  isChance: true,
  answer: (sight: Sight, { whole }) => {
    const look = sight.seen?.predictionLook;
    const worst = look && worstShift(look, Number(psi), whole);
    if (look === undefined) return unseen(sight, psi);
    if (worst === undefined) return nothing('Blind', psi, 'the two versions have no prediction that can be compared');
    const finding = shown(worst, look.look, psi, leftOut(sight.seen?.predictions, look));
    return seeing(sight, finding);
  },
});

/** What the candidate predicts, held against what the stable version predicts over the same time. */
export const predictionShift: Kind<Asked<'predictionShift'>> = {
  questions: ({ psi }) => [shifted(psi)],
  phases: WHERE_ASKED,
  holds: holdsOnRequests,
};
