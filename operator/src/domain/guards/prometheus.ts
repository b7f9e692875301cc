import { parseDuration } from '../duration.ts';
import type { ExternalFinding } from '../rollout/world.ts';
import { judgeExternalRate } from './externalRate.ts';
import { type Finding, NONE, nothing } from './finding.ts';
import { type Asked, holdsOnRequests, type Kind, type Question, UNDECIDED, WHERE_ASKED } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import { maySeeNothing, type Sight, secondsOfStep } from './sight.ts';

type Prometheus = Asked<'prometheus'>;
type Value = Extract<ExternalFinding, { kind: 'Value' }>;

/** The limit in words: it may have two ends. */
const limitText = ({ value, max = NONE, min }: Prometheus): string => {
  if (value === undefined || min === undefined) return max;
  return max === NONE ? `at least ${min}` : `${min} to ${max}`;
};

/** A plain number has no interval, so that one look tells nothing: as many as `failures` in a row must agree. */
function judgeValue({ value, badInARow, goodInARow }: Value, asked: Prometheus): Finding {
  const verdict = badInARow >= asked.failures ? 'Fail' : goodInARow >= asked.failures ? 'Pass' : 'NeedMore';
  const inARow = Math.max(badInARow, goodInARow);
  return {
    verdict,
    rate: String(Number(value.toPrecision(6))),
    low: NONE,
    high: NONE,
    limit: limitText(asked),
    n: inARow,
    etaMs: verdict === 'NeedMore' ? (asked.failures - inARow) * parseDuration(asked.interval) : undefined,
    message: `${inARow} ${inARow === 1 ? 'look' : 'looks in a row'} ${badInARow > 0 ? 'beyond' : 'within'} the limit`,
  };
}

function judge(sight: Sight, asked: Prometheus, name: string, { outside }: QuestionRisks): Finding {
  const limit = limitText(asked);
  const found = sight.world.external?.[name];
  switch (found?.kind) {
    case 'Rates': {
      const finding = judgeExternalRate(found, asked.max ?? '0%', outside, secondsOfStep(sight));
      const isSilent = found.total <= 0 && !maySeeNothing(sight);
      return isSilent ? { ...finding, verdict: 'Blind', message: 'its total is 0 since the step began' } : finding;
    }
    case 'Value':
      return judgeValue(found, asked);
    case 'Unreachable':
    case 'Invalid':
    case 'Ended':
      return nothing('Blind', limit, found.message);
    default:
      return nothing('Blind', limit, 'its query has not been answered yet');
  }
}

const question = (asked: Prometheus, name: string): Question => ({
  isChance: asked.value === undefined,
  answer: (sight, risks) => judge(sight, asked, name, risks),
});

/** A query of the user's: counts that make a rate, or a plain number. */
export const prometheus: Kind<Prometheus> = {
  questions: (asked, name) => [question(asked, name)],
  phases: WHERE_ASKED,
  holds: (phase, { value }) => (value === undefined ? holdsOnRequests(phase) : UNDECIDED),
};
