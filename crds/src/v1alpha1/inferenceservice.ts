import * as z from 'zod';
import { conditionsField } from '../common/condition.ts';
import { atomicList, digest, dnsLabel, duration, mapList, percent, semver } from '../common/fields.ts';
import { acceleratorSchema, placementSchema, resourcesSchema } from '../common/pods.ts';
import { VERDICTS } from '../contract.ts';

const predictorSchema = z
  .object({
    replicas: z
      .object({
        min: z
          .int()
          .min(1)
          .max(1000)
          .meta({ format: 'int32' })
          .default(1)
          .describe('Pods of the stable version at least.'),
        max: z
          .int()
          .min(1)
          .max(1000)
          .meta({ format: 'int32' })
          .optional()
          .describe('Pods at most. Above min, with a target, a HorizontalPodAutoscaler scales between.'),
        target: z
          .object({
            cpu: z
              .int()
              .min(1)
              .max(100)
              .meta({ format: 'int32' })
              .describe('Mean CPU use to aim at, percent of the request.'),
          })
          .optional()
          .describe('What the autoscaler aims at. Needs max.'),
      })
      .prefault({})
      .describe('How many pods serve.'),
    resources: resourcesSchema.optional(),
    accelerator: acceleratorSchema.optional(),
    placement: placementSchema.optional(),
  })
  .describe('The pods that serve. A change here is a new revision and goes through the rollout, except replicas.');

const trafficSchema = z
  .object({
    gateway: z
      .object({
        name: z.string().max(253).describe('Name of the Gateway.'),
        namespace: z.string().max(63).optional().describe('Its namespace. Unset: that of this object.'),
      })
      .optional()
      .describe('Gateway that the route attaches to. Unset: the default of the operator.'),
    hostnames: atomicList(
      z
        .string()
        .max(253)
        .regex(/^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/),
      16,
    )
      .optional()
      .describe('Hosts that the route answers. Unset: every host of the Gateway.'),
    pathPrefix: z
      .string()
      .max(256)
      .regex(/^\/[A-Za-z0-9._~/-]*$/)
      .default('/')
      .describe('Path prefix that the route answers; removed before the model server sees the request.'),
  })
  .describe('How requests reach the service.');

const stepSchema = z.object({
  weight: z
    .int()
    .min(1)
    .max(100)
    .meta({ format: 'int32' })
    .optional()
    .describe('Percent of requests for the candidate. Exactly one of weight and approval.'),
  for: duration()
    .optional()
    .describe(
      'Time to stay at this weight at least, guards watching. Only with weight. Default: until every guard passes.',
    ),
  approval: z.boolean().optional().describe('true: wait here until a person approves this step.'),
});
export type RolloutStep = z.output<typeof stepSchema>;

const guardSchema = z.object({
  name: dnsLabel(63).describe('Name of the guard, unique in the list.'),
  errors: z
    .object({
      max: percent().optional().describe('Share of candidate requests that may end in a server error (5xx).'),
      worseBy: percent()
        .optional()
        .describe('How much higher than the stable version its error share may be, in percentage points.'),
    })
    .describe('Server errors of the candidate, of all its requests.'),
});
export type Guard = z.output<typeof guardSchema>;

const rolloutSchema = z
  .object({
    steps: atomicList(stepSchema, 32)
      .default([{ weight: 100 }])
      .describe('What a new version goes through, in order. Weights rise and end at 100.'),
    bake: duration().default('0s').describe('Time the old version stays warm after the last step, guards still armed.'),
    guards: mapList(guardSchema, 16, 'name')
      .optional()
      .describe('What the candidate is judged by, each second. One Fail rolls it back.'),
    confidence: z
      .object({
        fail: z
          .string()
          .max(8)
          .regex(/^0\.[0-9]{1,6}$/)
          .default('0.999')
          .describe(
            'Confidence needed to fail a guard; the chance of a false rollback is at most 1 minus this, over the whole rollout and however often it is looked at.',
          ),
        pass: z
          .string()
          .max(8)
          .regex(/^0\.[0-9]{1,6}$/)
          .default('0.95')
          .describe('Confidence needed to pass a guard.'),
      })
      .prefault({})
      .describe('How sure a verdict must be.'),
    progressDeadline: duration()
      .default('10m')
      .describe('Time a candidate has to become ready before it is rolled back.'),
  })
  .describe('How a new version takes over.');

export const inferenceServiceSpecSchema = z.object({
  model: z
    .object({
      name: dnsLabel(40).describe('Name of the model.'),
      version: semver().describe('Version to serve: the ModelVersion <name>-<version> of this namespace.'),
    })
    .describe('What to serve.'),
  predictor: predictorSchema.prefault({}),
  traffic: trafficSchema.prefault({}),
  rollout: rolloutSchema.prefault({}),
});
export type InferenceServiceSpec = z.output<typeof inferenceServiceSpecSchema>;

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
