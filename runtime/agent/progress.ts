import { NON_FINITE, type Progress, progressSchema } from '@slipway/crds/contract';
import * as z from 'zod';
import { complaintOf } from '../container/complaint.ts';
import { pythonJson } from './pythonJson.ts';

/** What the progress file says: a report, nothing yet, or why it is no report. */
export type ProgressReading =
  | { readonly kind: 'report'; readonly progress: Progress }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly sentence: string };

/** Metrics of one report that are kept, in the order of their names: as many as a status has room for. */
export const MOST_METRICS = 32;

type Metric = number | (typeof NON_FINITE)[number];

const metricSchema = z.union([z.number(), z.literal(Number.POSITIVE_INFINITY), z.literal(NON_FINITE)]);
const writtenSchema = progressSchema.omit({ nonFinite: true, source: true }).extend({
  metrics: z.record(z.string().max(64), metricSchema).optional(),
});

/** Judges the text of a progress report; undefined text means that there is none. `name` is what the sentence calls it. */
export function readingOf(text: string | undefined, name = 'progress.json'): ProgressReading {
  if (text === undefined) return { kind: 'none' };
  const json = pythonJson(text);
  if (json === undefined) return { kind: 'invalid', sentence: `${name} is not JSON; write it whole, then rename.` };
  const result = writtenSchema.safeParse(json);
  if (!result.success)
    return { kind: 'invalid', sentence: `${name} is not a progress report: ${complaintOf(result.error)}.` };
  const { metrics, ...progress } = result.data;
  return { kind: 'report', progress: metrics === undefined ? progress : { ...progress, ...metricsOf(metrics) } };
}

const isNumber = (entry: readonly [string, Metric]): entry is [string, number] =>
  typeof entry[1] === 'number' && Number.isFinite(entry[1]);

const wordOf = (value: Metric): (typeof NON_FINITE)[number] =>
  typeof value === 'number' ? (value < 0 ? '-Infinity' : 'Infinity') : value;

/** Metrics parted into those that are numbers and those that are none, MOST_METRICS together. */
export function metricsOf(all: Readonly<Record<string, Metric>>): Pick<Progress, 'metrics' | 'nonFinite'> {
  const kept = Object.entries(all)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST_METRICS);
  const others = kept.filter((entry) => !isNumber(entry)).map(([name, value]) => [name, wordOf(value)] as const);
  return {
    metrics: Object.fromEntries(kept.filter(isNumber)),
    ...(others.length === 0 ? {} : { nonFinite: Object.fromEntries(others) }),
  };
}
