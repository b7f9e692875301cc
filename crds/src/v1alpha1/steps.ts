import * as z from 'zod';
import { type CelRule, cel } from '../common/cel.ts';
import { atomicList, duration } from '../common/fields.ts';

interface Step {
  weight?: number | undefined;
  shadow?: number | undefined;
  preview?: boolean | undefined;
  for?: string | undefined;
  approval?: boolean | undefined;
  people?: number | undefined;
}

const STEP_KINDS = ['weight', 'shadow', 'preview', 'approval'] as const;

const oneKind: CelRule<Step> = {
  rule: `[${STEP_KINDS.map((kind) => `has(self.${kind})`).join(', ')}].filter(is, is).size() == 1`,
  message: `a step needs exactly one of ${STEP_KINDS.join(', ')}`,
  holds: (step) => STEP_KINDS.filter((kind) => step[kind] !== undefined).length === 1,
};

const forWithoutApproval: CelRule<Step> = {
  rule: '!has(self.for) || !has(self.approval)',
  message: 'for goes with weight, shadow and preview: an approval step waits for a person, however long that takes',
  holds: ({ approval, for: time }) => time === undefined || approval === undefined,
};

const peopleApprove: CelRule<Step> = {
  rule: '!has(self.people) || has(self.approval)',
  message: 'people goes with approval: write {approval: true, people: 2} for a step that two must approve',
  holds: ({ approval, people }) => people === undefined || approval !== undefined,
};

const isTrue = (kind: 'approval' | 'preview'): CelRule<Step> => ({
  rule: `!has(self.${kind}) || self.${kind}`,
  message: `${kind} must be true: leave the step out where no ${kind} is wanted`,
  holds: (step) => step[kind] !== false,
});

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

/** Whoever is shown to users is past the point where looking at copies would spare them. */
const shadowFirst: CelRule<readonly Step[]> = {
  rule: 'self.filter(step, !has(step.approval)).map(step, has(step.weight) ? 1 : 0).isSorted()',
  message: 'shadow and preview steps come before the first weight',
  holds: (steps) => {
    const shown = steps.filter(({ approval }) => approval === undefined).map(({ weight }) => weight !== undefined);
    return shown.every((is, i) => is || !shown.slice(0, i).includes(true));
  },
};

const stepSchema = cel(
  z.object({
    weight: z
      .int()
      .min(1)
      .max(100)
      .meta({ format: 'int32' })
      .optional()
      .describe('Percent of requests for the candidate. Exactly one of weight, shadow, preview and approval.'),
    shadow: z
      .int()
      .min(1)
      .max(100)
      .meta({ format: 'int32' })
      .optional()
      .describe(
        'Percent of requests that the stable version copies to the candidate. Users get no answer of the candidate; a disagreement guard compares the two.',
      ),
    preview: z
      .boolean()
      .optional()
      .describe(
        'true: the candidate has all its pods, and gets the requests with header slipway-preview: candidate only. With {weight: 100} after it: blue/green. Not with traffic.provider: Replicas or surge: Never.',
      ),
    for: duration()
      .optional()
      .describe(
        'Time to stay at this step at least, guards watching. Not with approval. Default: until every guard passes.',
      ),
    approval: z.boolean().optional().describe('true: wait here until a person approves this step.'),
    people: z
      .int()
      .min(1)
      .max(5)
      .meta({ format: 'int32' })
      .optional()
      .describe('How many people must approve, each of another name. Only with approval. Default 1.'),
  }),
  oneKind,
  forWithoutApproval,
  peopleApprove,
  isTrue('approval'),
  isTrue('preview'),
);
export type RolloutStep = z.output<typeof stepSchema>;

export const stepsSchema = cel(atomicList(stepSchema, 32), weightsRise, endsAt100, shadowFirst)
  .default([{ weight: 100 }])
  .describe('What a new version goes through, in order. Weights rise and end at 100.');
