import { isDeepStrictEqual } from 'node:util';
import type { TrainingJobStatus } from '@slipway/crds';
import { type Progress, progressSchema } from '@slipway/crds/contract';
import { decimalText } from '../decimal.ts';
import { durationText } from '../duration.ts';

export type ProgressStatus = NonNullable<TrainingJobStatus['progress']>;

const MOST_METRICS = 32;

/** Reads a progress document, from the agent or from a termination message; undefined for any other text. */
export function parseProgress(text: string | undefined): Progress | undefined {
  try {
    const parsed = progressSchema.safeParse(JSON.parse(text ?? ''));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const percentText = ({ step, total }: Progress): string | undefined =>
  total === undefined || total === 0 ? undefined : `${Math.min(100, Math.floor((100 * step) / total))}%`;

const metricTexts = (metrics: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metrics)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, MOST_METRICS)
      .map(([name, value]) => [name, decimalText(value)]),
  );

/** When the trainer wrote it, in whole seconds; undefined when it does not say. */
const writtenAt = (at: string | undefined): string | undefined => {
  const time = Date.parse(at ?? '');
  return Number.isNaN(time) ? undefined : `${new Date(time).toISOString().slice(0, 19)}Z`;
};

/**
 * The trainer's report as status.progress. A report without a time counts as a heartbeat at `seenAt` (RFC 3339) only
 * when it differs from what is stored: else a trainer that hangs would look alive, and every poll would write.
 */
export function progressStatus(report: Progress, stored: ProgressStatus | undefined, seenAt: string): ProgressStatus {
  const { step, total, epoch, metrics, etaSeconds } = report;
  const percent = percentText(report);
  const said: ProgressStatus = {
    step,
    ...(total === undefined ? {} : { total }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(metrics === undefined ? {} : { metrics: metricTexts(metrics) }),
    ...(etaSeconds === undefined ? {} : { eta: durationText(etaSeconds * 1000) }),
    ...(percent === undefined ? {} : { percent }),
  };
  const at = writtenAt(report.at);
  if (at !== undefined) return { ...said, lastHeartbeat: at };
  const { lastHeartbeat, ...before } = stored ?? {};
  return {
    ...said,
    lastHeartbeat: lastHeartbeat !== undefined && isDeepStrictEqual(before, said) ? lastHeartbeat : seenAt,
  };
}
