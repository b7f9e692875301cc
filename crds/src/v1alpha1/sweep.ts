import * as z from 'zod';
import { cel } from '../common/cel.ts';
import { atomicList, decimal, mapList, parameterName } from '../common/fields.ts';

const searched = z
  .object({
    name: parameterName(64).describe('Parameter, as in spec.parameters.'),
    values: atomicList(z.string().max(256), 64, 1)
      .optional()
      .describe('Values to try. Exactly one of values and range.'),
    range: z
      .object({
        min: decimal().describe('Least value.'),
        max: decimal().describe('Greatest value.'),
        scale: z.enum(['Linear', 'Log']).default('Linear').describe('How values are drawn: Log for learning rates.'),
        integer: z.boolean().default(false).describe('true: whole numbers only.'),
      })
      .optional()
      .describe('Numbers to draw from. search: Random only.'),
  })
  .describe('One parameter that is searched.');

export const sweepSchema = cel(
  z.object({
    search: z
      .enum(['Grid', 'Random'])
      .default('Grid')
      .describe('Grid: every combination of values. Random: drawn by seed.'),
    parameters: mapList(
      cel(searched, {
        rule: 'has(self.values) != has(self.range)',
        message: 'needs exactly one of values and range',
        holds: ({ values, range }) => (values === undefined) !== (range === undefined),
      }),
      8,
      'name',
    ).describe('What is searched; the rest stands in spec.parameters.'),
    trials: z
      .int()
      .min(1)
      .max(256)
      .meta({ format: 'int32' })
      .default(16)
      .describe('Most trials: a Random search makes so many, a Grid that is larger is refused.'),
    parallelism: z.int().min(1).max(64).meta({ format: 'int32' }).default(1).describe('Trials at a time.'),
    seed: z
      .int()
      .min(0)
      .meta({ format: 'int32' })
      .default(0)
      .describe('Seed of a Random search: the same one, the same trials.'),
    objective: z
      .object({
        metric: z.string().min(1).max(64).describe('Metric that trainers report in their progress.'),
        goal: z.enum(['Maximize', 'Minimize']).describe('Which end is best.'),
      })
      .describe('How the best trial is known. Only its model is published.'),
    failedTrials: z
      .int()
      .min(0)
      .max(256)
      .meta({ format: 'int32' })
      .default(0)
      .describe('Trials that may fail before the sweep does.'),
  }),
  {
    rule: "self.search != 'Grid' || self.parameters.all(parameter, has(parameter.values))",
    message: 'a Grid needs values for every parameter: write values, or search: Random',
    holds: ({ search, parameters }) => search !== 'Grid' || parameters.every(({ values }) => values !== undefined),
  },
);
