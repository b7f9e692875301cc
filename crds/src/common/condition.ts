import * as z from 'zod';
import { mapList } from './fields.ts';

/** metav1.Condition, with observedGeneration required: kstatus needs it to tell an old truth from a new one. */
export const conditionSchema = z.object({
  type: z.string().max(316).describe('Name of the condition.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  observedGeneration: z.int().min(0).meta({ format: 'int64' }).describe('metadata.generation this was observed at.'),
  lastTransitionTime: z.string().meta({ format: 'date-time' }).describe('When status last changed.'),
  reason: z.string().min(1).max(1024).describe('One word naming the cause.'),
  message: z.string().max(32768).describe('A sentence for people.'),
});
export type Condition = z.infer<typeof conditionSchema>;

export const conditionsField = () =>
  mapList(conditionSchema, 16, 'type').describe('The latest observations of this object, in kstatus conventions.');
