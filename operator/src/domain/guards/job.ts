import { type Risk, requestsToVerdict } from '../analysis/verdict.ts';
import type { ExternalFinding } from '../rollout/world.ts';
import { judgeExternalRate } from './externalRate.ts';
import { type Finding, NONE, nothing } from './finding.ts';
import { parsePercent } from './percent.ts';
import { type Asked, type Kind, type Question, UNDECIDED, WHERE_ASKED } from './question.ts';
import type { QuestionRisks } from './risks.ts';
import type { Sight } from './sight.ts';

type Job = Asked<'job'>;
type Rates = Extract<ExternalFinding, { kind: 'Rates' }>;

const EXIT_CODE = 'exit code 0';

const ended = (passed: boolean, limit: string, message: string): Finding => ({
  verdict: passed ? 'Pass' : 'Fail',
  rate: passed ? 'passed' : 'failed',
  low: NONE,
  high: NONE,
  limit,
  n: 1,
  message,
});

/** The test is over and nothing more will come: to tell, it must ask more questions. */
function tooFew({ bad, total }: Rates, max: string, risk: Risk): string {
  const more = requestsToVerdict({ hits: Math.min(bad, total), total }, parsePercent(max), risk);
  const needed = more === undefined ? 'many more' : `about ${Math.round(total + more)}`;
  return `the test ended after ${total} questions, too few to tell: at this rate it takes ${needed}`;
}

function judgeRates(found: Rates, max: string, risk: Risk): Finding {
  const finding = judgeExternalRate(found, max, risk);
  return finding.verdict === 'NeedMore' ? { ...finding, message: tooFew(found, max, risk) } : finding;
}

function judge(sight: Sight, { max }: Job, name: string, { outside }: QuestionRisks): Finding {
  const limit = max ?? EXIT_CODE;
  const found = sight.world.external?.[name];
  switch (found?.kind) {
    case 'Ended':
      return ended(found.passed, limit, found.message);
    case 'Rates':
      return max === undefined
        ? ended(true, limit, 'it printed a rate, and no max is set')
        : judgeRates(found, max, outside);
    case 'Unreachable':
    case 'Invalid':
      return nothing('Blind', limit, found.message);
    case 'Running':
      return nothing('NeedMore', limit, 'the test is running');
    default:
      return nothing('NeedMore', limit, 'the test has not begun');
  }
}

const question = (asked: Job, name: string): Question => ({
  isChance: asked.max !== undefined,
  answer: (sight, risks) => judge(sight, asked, name, risks),
});

/** A container of the user's that tests the candidate, once in each step. Whatever it is still to say is waited for. */
export const job: Kind<Job> = {
  questions: (asked, name) => [question(asked, name)],
  phases: WHERE_ASKED,
  holds: () => UNDECIDED,
};
