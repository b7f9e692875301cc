import { isDeepStrictEqual } from 'node:util';
import type { TrainingJobStatus } from '@slipway/crds';
import { NON_FINITE, type Progress, progressSchema } from '@slipway/crds/contract';
import { decimalText } from '../decimal.ts';
import { durationText } from '../duration.ts';

export type ProgressStatus = NonNullable<TrainingJobStatus['progress']>;

const MOST_METRICS = 32;

/** Reads a progress document, from the agent or from a termination message; undefined for any other text. */
export function parseProgress(text: string | undefined): Progress | undefined {
  // Each pass over each job comes here, mostly with nothing: an error thrown for that was a twentieth of a busy operator.
  if (text === undefined || text === '') return undefined;
  try {
    const parsed = progressSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const percentText = ({ step, total }: Progress): string | undefined =>
  total === undefined || total === 0 ? undefined : `${Math.min(100, Math.floor((100 * step) / total))}%`;

/** Metrics as decimal strings; what is no number stands as NaN, Infinity or -Infinity, for a person to see. */
const metricTexts = ({ metrics, nonFinite }: Progress): Record<string, string> | undefined =>
  metrics === undefined && nonFinite === undefined
    ? undefined
    : Object.fromEntries(
        Object.entries({ ...metrics, ...nonFinite })
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, MOST_METRICS)
          .map(([name, value]) => [name, typeof value === 'number' ? decimalText(value) : value]),
      );

/** Metrics of a status that are no finite number, in the order of their names. */
export const nonFiniteMetrics = (progress: ProgressStatus | undefined): readonly string[] =>
  Object.entries(progress?.metrics ?? {})
    .filter(([, text]) => (NON_FINITE as readonly string[]).includes(text))
    .map(([name]) => name);

/** When the trainer wrote it, in whole seconds; undefined when it does not say. */
const writtenAt = (at: string | undefined): string | undefined => {
  const time = Date.parse(at ?? '');
  return Number.isNaN(time) ? undefined : `${new Date(time).toISOString().slice(0, 19)}Z`;
};

type Said = Omit<ProgressStatus, 'lastHeartbeat' | 'since'>;

function saidBy(report: Progress, source: ProgressStatus['source']): Said {
  const { step, total, epoch, etaSeconds } = report;
  const percent = percentText(report);
  const metrics = metricTexts(report);
  return {
    step,
    ...(total === undefined ? {} : { total }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(etaSeconds === undefined ? {} : { eta: durationText(etaSeconds * 1000) }),
    ...(source === undefined ? {} : { source }),
    ...(percent === undefined ? {} : { percent }),
  };
}

/** Whether step and metrics are the same: a trainer that hangs may go on writing times and estimates. */
const standsStill = (before: ProgressStatus | undefined, said: Said): before is ProgressStatus =>
  before !== undefined && before.step === said.step && isDeepStrictEqual(before.metrics, said.metrics);

/**
 * The trainer's report as status.progress. `since` is when step or metrics last changed. A report without a time counts
 * as a heartbeat at `seenAt` (RFC 3339) only when it differs from what is stored: else a trainer that hangs would look
 * alive, and every poll would write.
 */
export function progressStatus(report: Progress, stored: ProgressStatus | undefined, seenAt: string): ProgressStatus {
  const said = saidBy(report, report.source ?? stored?.source);
  const since = standsStill(stored, said) ? (stored.since ?? stored.lastHeartbeat ?? seenAt) : seenAt;
  const at = writtenAt(report.at);
  if (at !== undefined) return { ...said, lastHeartbeat: at, since };
  const { lastHeartbeat, since: _, ...before } = stored ?? {};
  const isNews = lastHeartbeat === undefined || !isDeepStrictEqual(before, said);
  return { ...said, lastHeartbeat: isNews ? seenAt : lastHeartbeat, since };
}
