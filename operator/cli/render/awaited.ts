import type { InferenceServiceSpec, InferenceServiceStatus } from '@slipway/crds';
import { joined } from '../../src/domain/registry/approvals.ts';
import { approvalsOf, peopleFor, stepAt } from '../../src/domain/rollout/steps.ts';

/** How many people the approval step of a rollout waits for, and who approved it already. */
export function whomItAwaits(spec: InferenceServiceSpec, status: InferenceServiceStatus): string {
  const { candidate } = status;
  if (candidate === undefined) return 'a person';
  const needed = peopleFor(stepAt(spec.rollout.steps, candidate.step));
  if (needed === 1) return 'a person';
  const given = approvalsOf({ spec, status }, candidate).map(({ by }) => by);
  return given.length === 0 ? `${needed} people` : `${needed} people (${joined(given)} approved)`;
}
