import * as z from 'zod';
import { type CelRule, cel, matches } from './common/cel.ts';

/** A column of `kubectl get`. priority 1 shows it with `-o wide` only. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

/** The part of an object that rules at its root may reach: the server shows them no other metadata. */
export interface Named<Spec> {
  metadata: { name: string };
  spec: Spec;
}

/** Everything the CRD of one kind is generated from. */
export interface KindDefinition<Spec extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: Spec;
  readonly status: z.ZodType;
  /** Rules over name and spec together. */
  readonly rules: readonly CelRule<Named<z.output<Spec>>>[];
  readonly columns: readonly PrinterColumn[];
}

export const defineKind = <Spec extends z.ZodType>(definition: KindDefinition<Spec>): KindDefinition<Spec> =>
  definition;

/** The offline half of the API server: parses a manifest, fills defaults and reports each broken rule. */
export const manifestSchema = (kind: KindDefinition) =>
  cel(z.object({ metadata: z.object({ name: z.string() }), spec: kind.spec }), ...kind.rules);

const CHILD_SAFE_NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Names of children are made from the object's own; a Service's must be a DNS label of 63 characters with a letter first. */
export const childSafeName: CelRule<Named<unknown>> = {
  rule: `self.metadata.name.size() <= 40 && ${matches(CHILD_SAFE_NAME, '').rule.replace('self.', 'self.metadata.name.')}`,
  message:
    'metadata.name must start with a letter, hold only lower-case letters, digits and -, and have at most 40 characters, as names of other objects are made from it',
  holds: ({ metadata: { name } }) => name.length <= 40 && CHILD_SAFE_NAME.test(name),
};

/** A column that shows a field of one condition: the truth in one word, or its sentence. */
export const conditionColumn = (
  name: string,
  condition: string,
  field: 'status' | 'reason' | 'message',
  description: string,
): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${condition}")].${field}`,
  description,
  ...(field === 'message' ? { priority: 1 as const } : {}),
});

export const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};
