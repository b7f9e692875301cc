import * as z from 'zod';
import { conditionsField } from '../common/condition.ts';
import { atomicList, digest, mapList, observedGeneration, semver } from '../common/fields.ts';
import { VERDICTS } from '../contract.ts';
import { GUARD_KINDS } from './guards.ts';
import { retrainStatusField } from './retrain.ts';

export const ROLLOUT_PHASES = [
  'Idle',
  'Preparing',
  'Shadowing',
  'Previewing',
  'Shifting',
  'Baking',
  'Complete',
  'RollingBack',
  'RolledBack',
] as const;
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];

export const GUARD_VERDICTS = [...VERDICTS, 'Blind', 'SharedFault'] as const;
export type GuardVerdict = (typeof GUARD_VERDICTS)[number];

const int32 = () => z.int().min(0).meta({ format: 'int32' });
const revisionField = () => z.string().max(16).describe('Hash of what its pods run: model digest and predictor.');
const weights = () =>
  z.object({
    stable: int32().describe('Share of the stable version, of 10000.'),
    candidate: int32().describe('Share of the candidate, of 10000.'),
  });

const guardStatusSchema = z.object({
  name: z.string().max(63).describe('Name of the guard.'),
  kind: z.enum(GUARD_KINDS).optional().describe('What it asks: the field of the guard that is set.'),
  verdict: z
    .enum(GUARD_VERDICTS)
    .describe(
      'Pass, Fail, NeedMore (too few requests to say), Blind (no evidence reaches the operator) or SharedFault (the stable version suffers the same, so the candidate is not to blame).',
    ),
  observe: z.boolean().optional().describe('true: shown only, and never acted on.'),
  rate: z.string().max(24).describe('Measured share, size of effect, or number; none: nothing was measured.'),
  low: z
    .string()
    .max(24)
    .describe('Lower bound of its confidence sequence; none: a plain number or an exit code has none.'),
  high: z.string().max(24).describe('Upper bound of its confidence sequence; none: as for low.'),
  limit: z.string().max(24).describe('Limit it is held against.'),
  n: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .describe('Requests it rests on; for other kinds answers, labels, rows, looks or tests.'),
  eta: z.string().max(32).optional().describe('Time to a verdict at the present rate and traffic.'),
  message: z.string().max(256).optional().describe('What the numbers alone do not tell, such as the worst segment.'),
});

const versionStatusSchema = z.object({
  version: semver().describe('Model version.'),
  digest: digest().describe('Artifact digest that its pods report.'),
  revision: revisionField(),
});

const share = () => z.string().max(24);
const driftStatusSchema = z.object({
  at: z.string().meta({ format: 'date-time' }).describe('When.'),
  version: semver().describe('Version it is about.'),
  n: z.int().min(0).meta({ format: 'int64' }).describe('Rows in the window.'),
  worst: mapList(
    z.object({
      name: z.string().max(256).describe('Feature or prediction.'),
      measure: z
        .string()
        .max(24)
        .describe('psi, js, ks, missing, outOfRange, unseen, outliers, accuracy or calibration.'),
      value: share().describe('Measured.'),
      low: share().describe('Lower bound at the share of the false-alarm budget.'),
      high: share().describe('Upper bound.'),
      limit: share().describe('Limit it is held against.'),
      n: z.int().min(0).meta({ format: 'int64' }).describe('Rows it rests on.'),
      drifted: z.boolean().describe('Whether it counts as drifted.'),
      detail: z
        .string()
        .max(256)
        .optional()
        .describe('Of calibration: too sure or not sure enough, and the bin that has most of the error.'),
    }),
    8,
    'name',
    'measure',
  )
    .optional()
    .describe('What is furthest from training, worst first.'),
});
export type DriftStatus = z.output<typeof driftStatusSchema>;

export const inferenceServiceStatusSchema = z.object({
  observedGeneration: observedGeneration(),
  conditions: conditionsField().optional(),
  rolloutID: z.string().max(32).optional().describe('Identity of the current or last rollout.'),
  url: z.string().max(1024).optional().describe('Where to send requests.'),
  stable: versionStatusSchema
    .extend({
      rolloutID: z
        .string()
        .max(32)
        .optional()
        .describe('Rollout that made it stable: what the rollback annotation names to have the version before again.'),
    })
    .optional()
    .describe('The version that answers.'),
  previous: versionStatusSchema
    .optional()
    .describe('The version that answered before the stable one: where a rollback leads.'),
  candidate: versionStatusSchema
    .extend({
      phase: z.enum(ROLLOUT_PHASES).describe('Where the rollout stands.'),
      step: int32().describe('Index of the current step.'),
      stepStartedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the current step began.'),
      startedAt: z.string().meta({ format: 'date-time' }).describe('When the rollout began.'),
      awaitingApproval: z.boolean().optional().describe('true while an approval step waits for a person.'),
      weight: int32().describe('Percent of requests it is meant to get.'),
      shadow: int32().optional().describe('Percent of requests that are copied to it.'),
      capacity: int32()
        .optional()
        .describe('Pods that served when the rollout began, where its weights are made of whole pods.'),
      back: z
        .boolean()
        .optional()
        .describe('true: it is the previous version, and takes over again at once because a person asked for it.'),
      guards: mapList(guardStatusSchema, 16, 'name').optional().describe('Verdict of each guard.'),
      secondOpinion: z
        .object({
          guard: z.string().max(63).describe('The guard in doubt.'),
          startedAt: z.string().meta({ format: 'date-time' }).describe('When copies were asked for.'),
          endedAt: z
            .string()
            .meta({ format: 'date-time' })
            .optional()
            .describe('When that ended; none: requests are being copied.'),
          share: int32().describe('Share of the requests of the stable version that is copied, of 10000.'),
          asked: int32().describe('How many second opinions this step has had: each is followed by a longer rest.'),
        })
        .optional()
        .describe('Copies of live requests that a guard in doubt asked for at this step.'),
    })
    .optional()
    .describe('The version being rolled out.'),
  traffic: z
    .object({
      desired: weights().describe('What the rollout asks for.'),
      programmed: weights().optional().describe('What the accepted route says.'),
      observed: weights().optional().describe('What the pods counted since the last change of weight.'),
    })
    .optional()
    .describe('Three truths about the split; a step advances only when they agree.'),
  rejected: mapList(
    z.object({
      revision: revisionField(),
      version: semver().describe('Model version.'),
      digest: digest().describe('Artifact digest.'),
      reason: z.string().max(64).describe('Why it was rolled back.'),
      message: z.string().max(1024).describe('The evidence in a sentence.'),
      at: z.string().meta({ format: 'date-time' }).describe('When.'),
    }),
    16,
    'revision',
  )
    .optional()
    .describe('Revisions that were rolled back; the same spec applied again does nothing until a person clears it.'),
  lastHandledRetry: z
    .string()
    .max(63)
    .optional()
    .describe('Value of the retry annotation that was acted on: one annotation clears one rejection once.'),
  history: atomicList(
    z.object({
      from: z.string().max(64).describe('Version or phase left.'),
      to: z.string().max(64).describe('Version or phase entered.'),
      at: z.string().meta({ format: 'date-time' }).describe('When.'),
      reason: z.string().max(64).describe('Why.'),
      message: z.string().max(512).describe('The numbers behind it.'),
      by: z.string().max(256).optional().describe('Who approved it.'),
      digest: digest().optional().describe('Artifact digest it is about.'),
      previousHash: z
        .string()
        .max(64)
        .describe('hash of the entry before, also where that is no longer kept; empty: the first.'),
      hash: z.string().max(64).describe('SHA-256 of this entry without hash, as canonical JSON.'),
    }),
    32,
  )
    .optional()
    .describe('Last decisions, newest last, each holding the hash of the one before.'),
  notified: z
    .string()
    .max(64)
    .optional()
    .describe('hash of the last entry that the sink has taken or need not be told; none: not one yet.'),
  notifiedDrift: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('Since when the drift lasts that the sink was told of last.'),
  retraining: retrainStatusField(),
  drift: driftStatusSchema.optional().describe('What the watch over the stable version last saw.'),
  replicas: int32().optional().describe('Pods of the stable version.'),
  readyReplicas: int32().optional().describe('Of which ready.'),
});
export type InferenceServiceStatus = z.output<typeof inferenceServiceStatusSchema>;
