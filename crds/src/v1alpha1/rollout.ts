import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
import { atomicList, confidence, dnsLabel, duration, mapList, percent } from '../common/fields.ts';

interface Step {
  weight?: number | undefined;
  for?: string | undefined;
  approval?: boolean | undefined;
}

const weightOrApproval: CelRule<Step> = {
  rule: 'has(self.weight) != has(self.approval)',
  message: 'a step needs exactly one of weight and approval',
  holds: ({ weight, approval }) => (weight === undefined) !== (approval === undefined),
};

const forOnlyWithWeight: CelRule<Step> = {
  rule: '!has(self.for) || has(self.weight)',
  message: 'for goes with weight only: an approval step waits for a person, however long that takes',
  holds: ({ weight, for: time }) => time === undefined || weight !== undefined,
};

const approvalIsTrue: CelRule<Step> = {
  rule: '!has(self.approval) || self.approval',
  message: 'approval must be true: leave the step out where no approval is wanted',
  holds: ({ approval }) => approval !== false,
};

const weightsRise: CelRule<readonly Step[]> = {
  rule: 'self.filter(step, has(step.weight)).map(step, step.weight).isSorted() && self.filter(step, has(step.weight)).all(step, self.exists_one(other, has(other.weight) && other.weight == step.weight))',
  message: 'weights must rise from step to step, such as 5, 25, 50, 100',
  holds: (steps) => {
    const weights = steps.flatMap(({ weight }) => weight ?? []);
    return weights.every((weight, i) => i === 0 || weight > (weights[i - 1] ?? 0));
  },
};

const endsAt100: CelRule<readonly Step[]> = {
  rule: 'self.size() > 0 && has(self[self.size() - 1].weight) && self[self.size() - 1].weight == 100',
  message: 'the last step must be {weight: 100}',
  holds: (steps) => steps.at(-1)?.weight === 100,
};

const stepSchema = cel(
  z.object({
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
  }),
  weightOrApproval,
  forOnlyWithWeight,
  approvalIsTrue,
);
export type RolloutStep = z.output<typeof stepSchema>;

const errorLimit: CelRule<{ max?: string | undefined; worseBy?: string | undefined }> = {
  rule: 'has(self.max) || has(self.worseBy)',
  message: 'needs max (a limit of its own), worseBy (a limit over the stable version), or both',
  holds: ({ max, worseBy }) => max !== undefined || worseBy !== undefined,
};

const guardSchema = z.object({
  name: dnsLabel(63).describe('Name of the guard, unique in the list.'),
  errors: cel(
    z.object({
      max: percent().optional().describe('Share of candidate requests that may end in a server error (5xx).'),
      worseBy: percent()
        .optional()
        .describe('How much higher than the stable version its error share may be, in percentage points.'),
    }),
    errorLimit,
  ).describe('Server errors of the candidate, of all its requests.'),
});
export type Guard = z.output<typeof guardSchema>;

export const rolloutSchema = z
  .object({
    steps: cel(atomicList(stepSchema, 32), weightsRise, endsAt100)
      .default([{ weight: 100 }])
      .describe('What a new version goes through, in order. Weights rise and end at 100.'),
    bake: duration().default('0s').describe('Time the old version stays warm after the last step, guards still armed.'),
    guards: mapList(guardSchema, 16, 'name')
      .optional()
      .describe('What the candidate is judged by, each second. One Fail rolls it back.'),
    confidence: z
      .object({
        fail: confidence()
          .default('0.999')
          .describe(
            'Confidence needed to fail a guard; the chance of a false rollback is at most 1 minus this, over the whole rollout and however often it is looked at.',
          ),
        pass: confidence().default('0.95').describe('Confidence needed to pass a guard.'),
      })
      .prefault({})
      .describe('How sure a verdict must be.'),
    progressDeadline: duration()
      .default('10m')
      .describe('Time a candidate has to become ready before it is rolled back.'),
  })
  .describe('How a new version takes over.');
