import type { Condition } from '@slipway/crds';
import { expect } from 'vitest';
import type { KubeObject } from '../src/kube/wire.ts';

export interface Reported extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number | undefined;
    readonly conditions?: readonly Condition[] | undefined;
  };
}

const PASCAL_CASE = /^[A-Z][A-Za-z0-9]*$/;
const RFC3339_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function faultsOf(condition: Condition, generation: number): string[] {
  const { type, status, reason, message, observedGeneration, lastTransitionTime } = condition;
  const rules: readonly [boolean, string][] = [
    [['True', 'False', 'Unknown'].includes(status), `status ${status}`],
    [PASCAL_CASE.test(reason), `reason "${reason}" is not PascalCase`],
    [typeof message === 'string' && !message.includes('\n'), 'message is not one line'],
    [Number.isInteger(observedGeneration), `observedGeneration ${observedGeneration} is no integer`],
    [(observedGeneration ?? 0) <= generation, `observedGeneration ${observedGeneration} is ahead of ${generation}`],
    [RFC3339_SECONDS.test(lastTransitionTime), `lastTransitionTime ${lastTransitionTime}`],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => `${type}: ${fault}`);
}

/** What breaks kstatus in an object's status; empty when a GitOps tool can read it. */
export function statusFaults({ metadata, status }: Reported): string[] {
  const generation = metadata.generation ?? 0;
  const conditions = status?.conditions ?? [];
  const of = (type: string): string | undefined => conditions.find((c) => c.type === type)?.status;
  const types = conditions.map(({ type }) => type);
  const rules: readonly [boolean, string][] = [
    [
      Number.isInteger(status?.observedGeneration),
      `status.observedGeneration ${status?.observedGeneration} is no integer`,
    ],
    [(status?.observedGeneration ?? 0) <= generation, 'status.observedGeneration is ahead of the object'],
    [new Set(types).size === types.length, `a condition stands twice: ${types.join(', ')}`],
    [of('Ready') !== undefined, 'there is no Ready condition'],
    [!(of('Reconciling') === 'True' && of('Stalled') === 'True'), 'Reconciling and Stalled are both True'],
  ];
  const broken = rules.filter(([holds]) => !holds).map(([, fault]) => fault);
  return [...broken, ...conditions.flatMap((condition) => faultsOf(condition, generation))];
}

/**
 * Asserts that an object's status follows kstatus, and returns the status of each condition by its type, so that a
 * test goes on with `expect(expectStatus(service)).toMatchObject({ Ready: 'True' })`.
 */
export function expectStatus(object: Reported): Record<string, string> {
  expect(statusFaults(object)).toEqual([]);
  return Object.fromEntries((object.status?.conditions ?? []).map(({ type, status }) => [type, status]));
}
