import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
import { batchDelay, requestTimeout } from '../common/fields.ts';
import { acceleratorSchema, placementSchema, resourcesSchema } from '../common/pods.ts';

interface Replicas {
  min: number;
  max?: number | undefined;
  target?: object | undefined;
}

const atLeastMin: CelRule<Replicas> = {
  rule: '!has(self.max) || self.max >= self.min',
  message: 'max must be at least min',
  holds: ({ min, max }) => max === undefined || max >= min,
};

const maxWithTarget: CelRule<Replicas> = {
  rule: 'has(self.max) == has(self.target)',
  message: 'max and target go together: set both to autoscale, such as max: 10 and target: {cpu: 70}, or neither',
  holds: ({ max, target }) => (max === undefined) === (target === undefined),
};

interface Scaled {
  replicas: Replicas;
  resources?: { requests?: Record<string, string> | undefined } | undefined;
}

/**
 * The autoscaler compares use with the request; without one it can never act. The server tries rules on the bare
 * default `{}` as well, before it fills in replicas.
 */
const targetOfRequest: CelRule<Scaled> = {
  rule: "!has(self.replicas) || !has(self.replicas.target) || (has(self.resources) && has(self.resources.requests) && 'cpu' in self.resources.requests)",
  message: 'replicas.target.cpu is a percent of the request: set resources.requests.cpu too',
  holds: ({ replicas, resources }) => replicas.target === undefined || 'cpu' in (resources?.requests ?? {}),
};

const replicasSchema = cel(
  z.object({
    min: z.int().min(1).max(1000).meta({ format: 'int32' }).default(1).describe('Pods of the stable version at least.'),
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
  }),
  atLeastMin,
  maxWithTarget,
);

const batchingSchema = z.object({
  maxSize: z
    .int()
    .min(1)
    .max(4096)
    .meta({ format: 'int32' })
    .optional()
    .describe('Rows of one run of the model at most; 1 turns batching off. Unset: the default of the server, 32.'),
  maxDelay: batchDelay()
    .optional()
    .describe(
      'How long a free engine waits for a fuller batch, such as 5ms. Unset: not at all, and requests are gathered while the engine is busy.',
    ),
});

const limitsSchema = z.object({
  maxBodyBytes: z
    .int()
    .min(1)
    .max(4 * 1024 ** 3)
    .meta({ format: 'int64' })
    .optional()
    .describe('Largest request body; a larger one is answered with 413. Unset: 64 MiB.'),
  maxQueue: z
    .int()
    .min(0)
    .max(1_000_000)
    .meta({ format: 'int32' })
    .optional()
    .describe('Requests that may wait in each pod; one more is answered with 503. Unset: 256.'),
  timeout: requestTimeout()
    .optional()
    .describe('Longest time from the last byte of a request to its answer, such as 500ms or 30s. Unset: 60s.'),
});

const authSchema = z.object({
  secretRef: z
    .object({ name: z.string().min(1).max(253).describe('Name of the Secret.') })
    .describe(
      'Secret of this namespace whose entry `keys` holds a line "<name> sha256:<hex>" for each API key. A change counts within two minutes, without a restart.',
    ),
});

export const predictorSchema = cel(
  z.object({
    replicas: replicasSchema.prefault({}).describe('How many pods serve.'),
    resources: resourcesSchema.optional(),
    accelerator: acceleratorSchema.optional(),
    placement: placementSchema.optional(),
    batching: batchingSchema.optional().describe('How requests share a run of the model.'),
    limits: limitsSchema.optional().describe('What a request may take of a pod.'),
    auth: authSchema.optional().describe('API keys that callers must have. Unset: everybody may ask.'),
  }),
  targetOfRequest,
).describe('The pods that serve. A change here is a new revision and goes through the rollout, except replicas.');
