/** What the model saw in training. */
import * as z from 'zod';

/**
 * baseline.json: what the model saw in training, frozen, so that every replica adds plain counts. `tensor` and `index`
 * say where a feature lies: entry `index` of the last dimension of that tensor.
 */
const summarySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('numeric'),
    count: z.int().min(0),
    min: z.number(),
    max: z.number(),
    mean: z.number(),
    /** Sum of squared differences from the mean. */
    m2: z.number().min(0),
    bins: z
      .object({ edges: z.array(z.number()).max(1023), counts: z.array(z.int().min(0)).max(1024) })
      .refine(({ edges, counts }) => counts.length === edges.length + 1, 'counts must have one entry more than edges')
      .refine(({ edges }) => edges.every((edge, i) => i === 0 || edge > (edges[i - 1] as number)), 'edges must rise'),
  }),
  z.object({
    kind: z.literal('categorical'),
    count: z.int().min(0),
    categories: z
      .array(z.object({ value: z.union([z.number(), z.string(), z.boolean()]), count: z.int().min(0) }))
      .max(1023),
    other: z.int().min(0),
  }),
]);
const summarisedSchema = z
  .object({ name: z.string().max(256), tensor: z.string().max(256), index: z.int().min(0) })
  .and(summarySchema);
export const BASELINE_SCHEMA = 'slipway.dev/baseline/v1';
export const baselineSchema = z.object({
  schema: z.literal(BASELINE_SCHEMA),
  dataset: z.object({ name: z.string(), digest: z.string(), rows: z.int().min(0) }).optional(),
  features: z.array(summarisedSchema).max(4096),
  /** Those of the model's answer first: late labels are compared with it. */
  predictions: z.array(summarisedSchema).max(4096),
  /**
   * How far 99.9 % of the training rows lie from their mean at most: the sum over the numeric features of the squared
   * standard score. Without it the point is that of independent normal features.
   */
  outliers: z.object({ threshold: z.number().positive() }).optional(),
});
export type Baseline = z.infer<typeof baselineSchema>;
export type Summarised = z.infer<typeof summarisedSchema>;
