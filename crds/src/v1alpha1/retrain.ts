import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
import { cronSchedule, dnsLabel, duration, timeZone } from '../common/fields.ts';

interface Retrain {
  readonly schedule?: string | undefined;
  readonly budget?: { readonly acceleratorHours?: unknown; readonly runs?: unknown } | undefined;
}

const someBudget: CelRule<Retrain> = {
  rule: '!has(self.budget) || has(self.budget.acceleratorHours) || has(self.budget.runs)',
  message: 'budget needs acceleratorHours or runs',
  holds: ({ budget }) => budget === undefined || budget.acceleratorHours !== undefined || budget.runs !== undefined,
};

/** When the model is trained anew, and what keeps that from running away. */
export const retrainSchema = cel(
  z.object({
    from: dnsLabel(40).describe(
      'TrainingJob of this namespace that is the pattern: each retraining is a copy of its spec with version NextMinor, named <service>-r<number>.',
    ),
    schedule: cronSchedule()
      .optional()
      .describe('When to retrain: five cron fields, such as 0 3 * * 1. Unset: never by time.'),
    timeZone: timeZone().default('UTC').describe('IANA time zone of the schedule.'),
    cooldown: duration().default('24h').describe('Least time between the starts of two retrainings.'),
    budget: z
      .object({
        acceleratorHours: z
          .int()
          .min(0)
          .max(1_000_000)
          .meta({ format: 'int32' })
          .optional()
          .describe('Accelerator hours that retrainings of this service may use.'),
        runs: z.int().min(1).max(30).meta({ format: 'int32' }).optional().describe('Retrainings that may start.'),
        per: duration().default('30d').describe('Sliding time that the budget is for.'),
      })
      .optional()
      .describe('Beyond it no retraining starts, and the condition Retraining says so. Unset: no limit but cooldown.'),
    rejections: z
      .int()
      .min(1)
      .max(20)
      .meta({ format: 'int32' })
      .default(3)
      .describe(
        'Retrainings in a row that may fail, miss their gates or be rolled back; then none starts until the annotation slipway.dev/retrain asks for one.',
      ),
  }),
  someBudget,
).describe(
  'Train the model anew by schedule, on drift (drift.action: Retrain; missing features never do, as their cause lies before the model), when the annotation slipway.dev/retrain is set to a new value, or by CloudEvent. One at a time.',
);
export type RetrainSpec = z.output<typeof retrainSchema>;

export const RETRAIN_TRIGGERS = ['Schedule', 'Drift', 'Accuracy', 'Calibration', 'Asked', 'CloudEvent'] as const;

/** Ready: the version may be served, and this service does not follow a stage, so a person names it. */
export const RETRAIN_OUTCOMES = [
  'Running',
  'Verifying',
  'AwaitingApproval',
  'RollingOut',
  'Promoted',
  'Ready',
  'Rejected',
  'Failed',
] as const;

export const retrainStatusField = () =>
  z
    .object({
      number: z
        .int()
        .min(0)
        .meta({ format: 'int32' })
        .describe('Retrainings started so far: the last one is <service>-r<number>.'),
      running: z.string().max(253).optional().describe('TrainingJob that runs.'),
      trigger: z.enum(RETRAIN_TRIGGERS).optional().describe('Why the last one started.'),
      startedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the last one started.'),
      lastScheduled: z
        .string()
        .meta({ format: 'date-time' })
        .optional()
        .describe('Newest time of the schedule that was acted on.'),
      lastAsked: z.string().max(63).optional().describe('Value of the annotation that was acted on.'),
      lastEvent: z.string().max(64).optional().describe('Key of the CloudEvent that was acted on.'),
      lastDrift: z
        .string()
        .meta({ format: 'date-time' })
        .optional()
        .describe('Since when the drift lasts that was acted on.'),
      lastDriftVersion: z.string().max(32).optional().describe('Version whose drift was acted on.'),
      next: z
        .string()
        .meta({ format: 'date-time' })
        .optional()
        .describe('When the next may start, as far as is known.'),
      rejections: z.int().min(0).meta({ format: 'int32' }).describe('Retrainings in a row that led to nothing.'),
      runs: z
        .array(
          z.object({
            trainingJob: z.string().max(253).describe('TrainingJob.'),
            startedAt: z.string().meta({ format: 'date-time' }).describe('When it started.'),
            trigger: z.enum(RETRAIN_TRIGGERS).describe('Why.'),
            outcome: z.enum(RETRAIN_OUTCOMES).describe('What became of it.'),
            modelVersion: z.string().max(253).optional().describe('ModelVersion that it made.'),
            acceleratorSeconds: z.int().min(0).meta({ format: 'int64' }).describe('What it used.'),
            message: z.string().max(256).optional().describe('Why it led to nothing.'),
          }),
        )
        .max(32)
        .meta({ 'x-kubernetes-list-type': 'atomic' })
        .optional()
        .describe('Last retrainings, newest last.'),
    })
    .optional()
    .describe('What retraining did.');
