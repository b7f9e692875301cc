import * as z from 'zod';
import { conditionsField } from '../common/condition.ts';
import { atomicList, digest, mapList, semver } from '../common/fields.ts';
import { VERDICTS } from '../contract.ts';

export const ROLLOUT_PHASES = [
  'Idle',
  'Preparing',
  'Shifting',
  'Baking',
  'Complete',
  'RollingBack',
  'RolledBack',
] as const;
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];

const int32 = () => z.int().min(0).meta({ format: 'int32' });
const revisionField = () => z.string().max(16).describe('Hash of what its pods run: model digest and predictor.');
const weights = () =>
  z.object({
    stable: int32().describe('Share of the stable version, of 10000.'),
    candidate: int32().describe('Share of the candidate, of 10000.'),
  });

const guardStatusSchema = z.object({
  name: z.string().max(63).describe('Name of the guard.'),
  verdict: z
    .enum([...VERDICTS, 'Blind'])
    .describe('Pass, Fail, NeedMore (too few requests to say) or Blind (no evidence reaches the operator).'),
  rate: z.string().max(24).describe('Measured share.'),
  low: z.string().max(24).describe('Lower bound of its confidence sequence.'),
  high: z.string().max(24).describe('Upper bound of its confidence sequence.'),
  limit: z.string().max(24).describe('Limit it is held against.'),
  n: z.int().min(0).meta({ format: 'int64' }).describe('Requests it rests on.'),
  eta: z.string().max(32).optional().describe('Time to a verdict at the present rate and traffic.'),
});

const versionStatusSchema = z.object({
  version: semver().describe('Model version.'),
  digest: digest().describe('Artifact digest that its pods report.'),
  revision: revisionField(),
});

export const inferenceServiceStatusSchema = z.object({
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .optional()
    .describe('metadata.generation this status is for.'),
  conditions: conditionsField().optional(),
  rolloutID: z.string().max(32).optional().describe('Identity of the current or last rollout.'),
  url: z.string().max(1024).optional().describe('Where to send requests.'),
  stable: versionStatusSchema.optional().describe('The version that answers.'),
  candidate: versionStatusSchema
    .extend({
      phase: z.enum(ROLLOUT_PHASES).describe('Where the rollout stands.'),
      step: int32().describe('Index of the current step.'),
      stepStartedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the current step began.'),
      startedAt: z.string().meta({ format: 'date-time' }).describe('When the rollout began.'),
      awaitingApproval: z.boolean().optional().describe('true while an approval step waits for a person.'),
      weight: int32().describe('Percent of requests it is meant to get.'),
      guards: mapList(guardStatusSchema, 16, 'name').optional().describe('Verdict of each guard.'),
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
    }),
    32,
  )
    .optional()
    .describe('Last decisions, newest last.'),
  replicas: int32().optional().describe('Pods of the stable version.'),
  readyReplicas: int32().optional().describe('Of which ready.'),
});
export type InferenceServiceStatus = z.output<typeof inferenceServiceStatusSchema>;
