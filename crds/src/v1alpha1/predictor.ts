import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
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

export const predictorSchema = cel(
  z.object({
    replicas: replicasSchema.prefault({}).describe('How many pods serve.'),
    resources: resourcesSchema.optional(),
    accelerator: acceleratorSchema.optional(),
    placement: placementSchema.optional(),
  }),
  targetOfRequest,
).describe('The pods that serve. A change here is a new revision and goes through the rollout, except replicas.');
