import type { Progress } from '@slipway/crds/contract';
import * as z from 'zod';
import { complaintOf } from '../container/complaint.ts';
import { metricsOf, type ProgressReading } from './progress.ts';
import { pythonJson } from './pythonJson.ts';

/** As Hugging Face's KubeflowCallback and Kubeflow's SDK send it: values of metrics are text. */
const statusSchema = z.object({
  trainerStatus: z.object({
    progressPercentage: z.number().min(0).max(100).optional(),
    estimatedRemainingSeconds: z.number().min(0).optional(),
    metrics: z
      .array(z.object({ name: z.string().min(1), value: z.union([z.string(), z.number()]) }))
      .max(256)
      .optional(),
    lastUpdatedTime: z.string().max(64).optional(),
  }),
});
type TrainerStatus = z.output<typeof statusSchema>['trainerStatus'];

/** Names under which the callback sends what is no metric. */
const STEP = 'current_step';
const TOTAL = 'total_steps';
const EPOCH = 'current_epoch';
const LONGEST_NAME = 64;

/** Python's str() of what is no number; None for anything that is not about numbers at all. */
const WORDS: Readonly<Record<string, 'NaN' | 'Infinity' | '-Infinity'>> = {
  nan: 'NaN',
  inf: 'Infinity',
  '-inf': '-Infinity',
  infinity: 'Infinity',
  '-infinity': '-Infinity',
};

function metricOf(value: string | number): number | 'NaN' | 'Infinity' | '-Infinity' | undefined {
  const text = String(value).trim();
  const number = text === '' ? Number.NaN : Number(text);
  return Number.isNaN(number) ? WORDS[text.toLowerCase()] : number;
}

const wholeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value) ? Math.floor(value) : undefined;

/**
 * A progress POST of Kubeflow's protocol as a report. Its steps come from the metrics that the callback adds; without
 * them, and in the last POST of a training, which has none, from the percentage of the total known before, else of 100.
 */
export function postedProgress(body: string, before: Progress | undefined): ProgressReading {
  const parsed = statusSchema.safeParse(pythonJson(body));
  if (!parsed.success)
    return {
      kind: 'invalid',
      sentence: `Send {"trainerStatus": {"progressPercentage": 0-100, "metrics": [{"name": "loss", "value": "0.5"}]}}: ${complaintOf(parsed.error)}.`,
    };
  return { kind: 'report', progress: reportOf(parsed.data.trainerStatus, before) };
}

function reportOf(status: TrainerStatus, before: Progress | undefined): Progress {
  const values = new Map(
    (status.metrics ?? []).flatMap(({ name, value }) => {
      const number = metricOf(value);
      return number === undefined || name.length > LONGEST_NAME ? [] : [[name, number] as const];
    }),
  );
  const total = wholeOf(values.get(TOTAL)) ?? before?.total ?? 100;
  const share = (status.progressPercentage ?? 0) / 100;
  const step = wholeOf(values.get(STEP)) ?? Math.round(share * total);
  const epoch = wholeOf(values.get(EPOCH)) ?? before?.epoch;
  for (const name of [STEP, TOTAL, EPOCH]) values.delete(name);
  return {
    step,
    total,
    ...(epoch === undefined ? {} : { epoch }),
    ...(status.metrics === undefined ? {} : metricsOf(Object.fromEntries(values))),
    ...(status.estimatedRemainingSeconds === undefined ? {} : { etaSeconds: status.estimatedRemainingSeconds }),
    ...(status.lastUpdatedTime === undefined ? {} : { at: status.lastUpdatedTime }),
  };
}
