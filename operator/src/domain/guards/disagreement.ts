import type { Counts } from '../analysis/confidenceSequence.ts';
import { effectiveCounts } from '../analysis/designEffect.ts';
import { type SegmentJudgement, worstSegment } from '../analysis/segments.ts';
import { noBatches } from '../analysis/tally.ts';
import { judgeRate, type Risk } from '../analysis/verdict.ts';
import type { ShadowTally } from '../rollout/world.ts';
import { comparedFor } from './comparison.ts';
import { untilRateIsJudged } from './eta.ts';
import { blinded, type Finding, findingOf, gravest, nothing } from './finding.ts';
import { parsePercent, percentText } from './percent.ts';
import { type Asked, type Kind, type Question, UNDECIDED } from './question.ts';
import type { Sight } from './sight.ts';

const NOTHING: ShadowTally = {
  compared: 0,
  disagreed: 0,
  skipped: 0,
  failed: 0,
  batches: noBatches,
  segments: {},
  examples: [],
};

/** A copy that got no answer differs from the live answer as much as anything can. */
const asked = ({ compared, failed }: ShadowTally): number => compared + failed;
const ofAll = (shadow: ShadowTally, limit: number): Counts =>
  effectiveCounts(shadow.disagreed + shadow.failed, asked(shadow), shadow.batches, limit);

/** Segments have no batches of their own: the design effect of all answers is taken for theirs. */
function bySegment(shadow: ShadowTally, limit: number): Readonly<Record<string, Counts>> {
  const phi = asked(shadow) === 0 ? 1 : asked(shadow) / ofAll(shadow, limit).total;
  const counts = ({ compared, disagreed }: { compared: number; disagreed: number }) => ({
    hits: disagreed / phi,
    total: compared / phi,
  });
  return Object.fromEntries(Object.entries(shadow.segments).map(([name, of]) => [name, counts(of)]));
}

function silence({ world, stable }: Sight, shadow: ShadowTally): string | undefined {
  const ready = world.revisions[world.status.stable?.revision ?? '']?.ready ?? 0;
  const answering = stable?.answering ?? 0;
  if (answering === 0 || answering * 2 < ready)
    return `${answering} of ${ready} ready pods of the stable version tell what they compared`;
  if (asked(shadow) > 0) return undefined;
  return `no answer has been compared yet${shadow.skipped === 0 ? '' : `; ${shadow.skipped} requests were not copied`}`;
}

/** Examples come last: they may be cut. */
function told({ failed, examples }: ShadowTally, worst: SegmentJudgement | undefined): string | undefined {
  const parts = [
    ...(worst === undefined ? [] : [`worst segment ${worst.segment}: ${percentText(worst.rate)}`]),
    ...(failed === 0 ? [] : [`${failed} copies got no answer`]),
    ...examples.slice(0, 2).map(({ output, live, candidate }) => `${output}: live ${live}, candidate ${candidate}`),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

function findings(sight: Sight, shadow: ShadowTally, max: string, risk: Risk, worst?: SegmentJudgement): Finding[] {
  const limit = parsePercent(max);
  const counts = ofAll(shadow, limit);
  const judgement = judgeRate(counts, limit, risk);
  const eta = () => untilRateIsJudged(counts, limit, risk, sight.stable?.stepSeconds ?? 0);
  const message = told(shadow, worst);
  const all: Finding = {
    ...findingOf(judgement, max, asked(shadow)),
    etaMs: judgement.verdict === 'NeedMore' ? eta() : undefined,
    message,
  };
  // A segment fails a guard and passes none: that its few rows can't tell holds nothing up.
  return worst?.verdict === 'Fail'
    ? [all, { ...findingOf(worst, max, shadow.segments[worst.segment]?.compared ?? 0), message }]
    : [all];
}

const differing = (guard: Asked<'disagreement'>): Question => ({
  isChance: true,
  answer: (sight, { shadow: part }) => {
    const { max, segment } = guard;
    const other = comparedFor(sight.world.spec.rollout.guards ?? [], guard);
    if (other !== undefined) return nothing('Blind', max, `the pods compare as guard ${other} asks`);
    const shadow = sight.stable?.shadow ?? NOTHING;
    const risk = segment === undefined ? part : { ...part, fail: part.fail / 2 };
    const limit = parsePercent(max);
    const worst = segment === undefined ? undefined : worstSegment(bySegment(shadow, limit), limit, risk);
    const [all, alone] = findings(sight, shadow, max, risk, worst);
    const finding = gravest([all, alone].filter((found) => found !== undefined)) as Finding;
    return blinded(finding, silence(sight, shadow));
  },
});

/** Answers of the candidate that differ from the live ones to the same requests, of all that were compared. */
export const disagreement: Kind<Asked<'disagreement'>> = {
  questions: (guard) => [differing(guard)],
  phases: ['Shadowing'],
  holds: () => UNDECIDED,
};
