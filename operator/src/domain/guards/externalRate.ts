import { effectiveCounts } from '../analysis/designEffect.ts';
import { judgeRate, type Risk } from '../analysis/verdict.ts';
import type { ExternalFinding } from '../rollout/world.ts';
import { untilRateIsJudged } from './eta.ts';
import { type Finding, findingOf } from './finding.ts';
import { parsePercent } from './percent.ts';

type Rates = Extract<ExternalFinding, { kind: 'Rates' }>;

/**
 * A rate that was counted elsewhere over `seconds` seconds, held against a limit. Prometheus extrapolates counters, so
 * that bad may come out above total, or a little below zero. Without `seconds` nothing more will come.
 */
export function judgeExternalRate({ bad, total, batches }: Rates, max: string, risk: Risk, seconds?: number): Finding {
  const asked = Math.max(0, total);
  const limit = parsePercent(max);
  const counts = effectiveCounts(Math.min(Math.max(0, bad), asked), asked, batches, limit);
  const judgement = judgeRate(counts, limit, risk);
  const waits = judgement.verdict === 'NeedMore' && seconds !== undefined;
  return {
    ...findingOf(judgement, max, asked),
    etaMs: waits ? untilRateIsJudged(counts, limit, risk, seconds) : undefined,
  };
}
