import { FAILURE_CLASSES, type FailureClass } from '@slipway/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cause } from './cause.ts';
import { consequenceOf, DISRUPTIONS, type Setback } from './failurePolicy.ts';

const cause = (kind: FailureClass, more: Partial<Cause> = {}): Cause => ({
  class: kind,
  reason: kind,
  sentence: 'Pod nightly-a0-0 failed (exit code 1).',
  words: 'NaN loss',
  pod: 'nightly-a0-0',
  exitCode: 1,
  nodeToBlame: false,
  ...more,
});
const setback: Setback = {
  cause: cause('UserError'),
  policy: { restarts: 2, disruptions: 2, onDisruption: 'Restart', fatalExitCodes: [64] },
  restarts: 0,
  disruptions: 0,
  memoryLimit: undefined,
};
const policy = (more: Partial<Setback['policy']>) => ({ policy: { ...setback.policy, ...more } });

describe('what the bad end of an attempt leads to', () => {
  const cases: Record<string, { given: Partial<Setback>; want: object; says: RegExp }> = {
    'a failure restarts while the budget lasts, and tells pod, exit code and last words': {
      given: {},
      want: { kind: 'Restart', budget: 'restarts', elsewhere: false },
      says: /nightly-a0-0 failed \(exit code 1\): NaN loss\. Restart 1 of 2\./,
    },
    'the last restart used, the job gives up and says so': {
      given: { restarts: 2 },
      want: { kind: 'GiveUp' },
      says: /All 2 restarts are used/,
    },
    'no restarts asked for: the first failure is the last': {
      given: policy({ restarts: 0 }),
      want: { kind: 'GiveUp' },
      says: /exit code 1\): NaN loss\.$/,
    },
    'a fatal exit code gives up with restarts left': {
      given: { cause: cause('UserError', { exitCode: 64 }) },
      want: { kind: 'GiveUp' },
      says: /listed in failure.fatalExitCodes/,
    },
    'kubeflow/trainer#2044: out of memory under a limit of its own is never retried, and the limit is named': {
      given: { cause: cause('OutOfMemory', { exitCode: 137 }), memoryLimit: '2Gi' },
      want: { kind: 'GiveUp' },
      says: /Raise resources.limits.memory over 2Gi/,
    },
    'out of memory without a limit was the node: another may do': {
      given: { cause: cause('OutOfMemory', { exitCode: 137 }) },
      want: { kind: 'Restart', budget: 'restarts' },
      says: /Restart 1 of 2/,
    },
    'what only a person can mend is told to that person': {
      given: { cause: cause('OutOfMemory', { remedy: 'Make the batches smaller.' }) },
      want: { kind: 'GiveUp' },
      says: /Make the batches smaller\.$/,
    },
    'a disruption costs a disruption, and no restart': {
      given: { cause: cause('Disrupted'), restarts: 2 },
      want: { kind: 'Restart', budget: 'disruptions' },
      says: /Disruption 1 of 2/,
    },
    'disruptions have an end too': {
      given: { cause: cause('NodeLost'), disruptions: 2 },
      want: { kind: 'GiveUp' },
      says: /All 2 disruptions are used/,
    },
    'onDisruption Fail gives up at the first': {
      given: { cause: cause('NodeLost'), ...policy({ onDisruption: 'Fail' }) },
      want: { kind: 'GiveUp' },
      says: /failure.onDisruption is Fail/,
    },
    'a deleted attempt is no failure of the training': {
      given: { cause: cause('AttemptLost'), ...policy({ restarts: 0 }) },
      want: { kind: 'Restart', budget: 'disruptions' },
      says: /Disruption 1 of 2/,
    },
    'kubeflow/trainer#2185: a broken accelerator restarts elsewhere': {
      given: { cause: cause('AcceleratorFault', { nodeToBlame: true, node: 'gpu-7' }) },
      want: { kind: 'Restart', budget: 'disruptions', elsewhere: true },
      says: /without node gpu-7/,
    },
  };
  test.each(Object.entries(cases))('%s', (_name, { given, want, says }) => {
    const got = consequenceOf({ ...setback, ...given });
    expect(got).toMatchObject(want);
    expect(got.message).toMatch(says);
  });

  test('kubeflow/trainer#3779: no order of causes whatever starts more attempts than both budgets say', () => {
    const kinds = fc.constantFrom(...FAILURE_CLASSES);
    fc.assert(
      fc.property(
        fc.array(kinds, { minLength: 30, maxLength: 60 }),
        fc.nat(5),
        fc.nat(5),
        (ends, restarts, disruptions) => {
          const spent = { restarts: 0, disruptions: 0 };
          for (const kind of ends) {
            const got = consequenceOf({
              ...setback,
              ...policy({ restarts, disruptions }),
              ...spent,
              cause: cause(kind),
            });
            if (got.kind === 'GiveUp') break;
            expect(got.budget).toBe(DISRUPTIONS.includes(kind) ? 'disruptions' : 'restarts');
            spent[got.budget] += 1;
          }
          expect(spent.restarts).toBeLessThanOrEqual(restarts);
          expect(spent.disruptions).toBeLessThanOrEqual(disruptions);
        },
      ),
    );
  });
});
