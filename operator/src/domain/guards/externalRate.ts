import { effectiveCounts } from '../analysis/designEffect.ts';
import { judgeRate, type Risk } from '../analysis/verdict.ts';
import type { ExternalFinding } from '../rollout/world.ts';
import { etaMs } from './eta.ts';
import { type Finding, findingOf } from './finding.ts';
import { parsePercent } from './percent.ts';
import { grown } from './tallyRate.ts';

type Rates = Extract<ExternalFinding, { kind: 'Rates' }>;

/**
 * A rate that was counted elsewhere over `seconds` seconds, held against a limit. Prometheus extrapolates counters, so
 * that bad may come out above total, or a little below zero. Without `seconds` nothing more will come.
 */
export function judgeExternalRate({ bad, total, batches }: Rates, max: string, risk: Risk, seconds?: number): Finding {
  const asked = Math.max(0, total);
  const counts = effectiveCounts(Math.min(Math.max(0, bad), asked), asked, batches);
  const judged = (growth: number) => judgeRate(grown(counts, growth), parsePercent(max), risk);
  const { verdict } = judged(1);
  const canTell = verdict === 'NeedMore' && asked > 0 && seconds !== undefined;
  return {
    ...findingOf(judged(1), max, asked),
    etaMs: canTell ? etaMs((growth) => judged(growth).verdict, seconds) : undefined,
  };
}
