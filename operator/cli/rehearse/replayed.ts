import type { InferenceServiceSpec } from '@slipway/crds';
import { highestRate, type Interval, lowestRate } from '../../src/domain/analysis/confidenceSequence.ts';
import { beginningOf, type Recording } from '../../src/domain/guards/rehearsal/record.ts';
import { answerable, blockOf, inOrder, resampled, type Unanswered } from '../../src/domain/guards/rehearsal/replay.ts';
import { type Rehearsed, summed } from './whatIf.ts';

/** Traffic of a record, requests of both versions together. */
export interface Traffic {
  readonly from: string;
  readonly until: string;
  readonly intervals: number;
  readonly requests: number;
  readonly perSecond: number;
  /** Share that failed, of what the stable version got, from 0 to 1; likewise of the candidate. */
  readonly stableFailed: number | undefined;
  readonly candidateFailed: number | undefined;
}

/** What a guard said of the record as it was, numbers as a status has them. */
export interface Replayed {
  readonly name: string;
  readonly verdict: string;
  /** Seconds into the record, and that moment; null: never. */
  readonly failsAfterSeconds: number | null;
  readonly failsAt: string | null;
  readonly rate: string;
  readonly low: string;
  readonly high: string;
  readonly limit: string;
  readonly n: number;
  readonly message?: string | undefined;
}

export interface Replay {
  readonly traffic: Traffic;
  readonly asRecorded: readonly Replayed[];
  /** Rollouts of a candidate that is as the stable version was; undefined: the record has none of that. */
  readonly resampled: (Rehearsed & { readonly blockSeconds: number; readonly falseRollbacks: Interval }) | undefined;
  readonly leftOut: readonly Unanswered[];
}

export interface ReplayQuestion {
  readonly rollout: InferenceServiceSpec['rollout'];
  readonly recording: Recording;
  readonly runs: number;
  readonly mostSeconds: number;
}

const totalOf = (arm: Recording['stable']): number => arm.reduce((sum, { total }) => sum + total, 0);
const failedOf = (arm: Recording['stable']): number | undefined =>
  arm.length === 0 || totalOf(arm) === 0 ? undefined : arm.reduce((sum, { bad }) => sum + bad, 0) / totalOf(arm);

function trafficOf(recording: Recording): Traffic {
  const { stable, candidate } = recording;
  const from = beginningOf(recording);
  const until = [...stable, ...candidate].reduce((last, { at, seconds }) => Math.max(last, at + seconds * 1000), from);
  const requests = totalOf(stable) + totalOf(candidate);
  return {
    from: new Date(from).toISOString(),
    until: new Date(until).toISOString(),
    intervals: stable.length + candidate.length,
    requests,
    perSecond: requests / Math.max(1, (until - from) / 1000),
    stableFailed: failedOf(stable),
    candidateFailed: failedOf(candidate),
  };
}

/** That the bounds of the chance of a false rollback are wrong; they are those of a guard, valid at any time, so on the safe side. */
const CHANCE = 0.05;

function resampledOf({ runs, ...question }: ReplayQuestion): Replay['resampled'] {
  const { stable } = question.recording;
  if (totalOf(stable) === 0) return undefined;
  const answer = summed(resampled({ ...question, runs }).map((one) => ({ ...one, leftOut: [] })));
  const seen = { hits: answer.rolledBack, total: runs };
  const seconds = stable.reduce((sum, interval) => sum + interval.seconds, 0);
  return {
    ...answer,
    blockSeconds: blockOf(Math.round(seconds)),
    falseRollbacks: { low: lowestRate(seen, CHANCE / 2), high: highestRate(seen, CHANCE / 2) },
  };
}

/** What a policy would have made of recorded traffic, by the code that judges real rollouts. */
export function replay(question: ReplayQuestion): Replay {
  const { recording } = question;
  const { rollout, leftOut } = answerable(question.rollout, recording);
  const from = beginningOf(recording);
  const asRecorded = inOrder(rollout, recording).map(({ guard, failedAfter }): Replayed => {
    const { name, verdict, rate, low, high, limit, n, message } = guard;
    const failsAt = failedAfter === undefined ? null : new Date(from + failedAfter * 1000).toISOString();
    return { name, verdict, failsAfterSeconds: failedAfter ?? null, failsAt, rate, low, high, limit, n, message };
  });
  return { traffic: trafficOf(recording), asRecorded, resampled: resampledOf({ ...question, rollout }), leftOut };
}
