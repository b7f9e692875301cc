import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consequenceOf, type Setback } from './failurePolicy.ts';

const died = {
  pod: 'nightly-a0-0',
  exitCode: 1,
  outOfMemory: false,
  disrupted: false,
  reason: undefined,
  message: 'NaN loss',
};
const setback: Setback = {
  failure: died,
  jobMessage: 'The Job of this attempt was deleted before it ended.',
  restarts: 0,
  budget: 2,
  fatalExitCodes: [64],
  memoryLimit: undefined,
};
const killed = { ...died, exitCode: 137, outOfMemory: true, message: '' };

describe('what the bad end of an attempt leads to', () => {
  const cases: Record<string, { given: Partial<Setback>; want: { kind: string; reason: string; message: RegExp } }> = {
    'exit code 1 restarts while the budget lasts': {
      given: {},
      want: { kind: 'Restart', reason: 'TrainingFailed', message: /exit code 1: NaN loss.*Restart 1 of 2/ },
    },
    'the last restart used, the job gives up and says so': {
      given: { restarts: 2 },
      want: { kind: 'GiveUp', reason: 'TrainingFailed', message: /All 2 restarts are used/ },
    },
    'no restarts asked for: the first failure is the last, with exit code and last words': {
      given: { budget: 0 },
      want: { kind: 'GiveUp', reason: 'TrainingFailed', message: /nightly-a0-0 failed with exit code 1: NaN loss/ },
    },
    'a fatal exit code gives up with restarts left': {
      given: { failure: { ...died, exitCode: 64 } },
      want: { kind: 'GiveUp', reason: 'TrainingFailed', message: /listed in failure.fatalExitCodes/ },
    },
    'kubeflow/trainer#2044: out of memory under a limit of its own is never retried, and the limit is named': {
      given: { failure: killed, memoryLimit: '2Gi' },
      want: { kind: 'GiveUp', reason: 'OutOfMemory', message: /Raise resources.limits.memory over 2Gi/ },
    },
    'out of memory without a limit was the node: another may do': {
      given: { failure: killed },
      want: { kind: 'Restart', reason: 'OutOfMemory', message: /want of memory/ },
    },
    'out of memory counts against the budget too': {
      given: { failure: killed, restarts: 2 },
      want: { kind: 'GiveUp', reason: 'OutOfMemory', message: /All 2 restarts/ },
    },
    'an evicted pod is a disruption': {
      given: { failure: { ...died, exitCode: undefined, disrupted: true, message: 'node drained' } },
      want: { kind: 'Restart', reason: 'Disrupted', message: /ended before it could exit: node drained/ },
    },
    'a cause the container named itself is the reason': {
      given: { budget: 0, failure: { ...died, reason: 'ConfigurationInvalid' as const } },
      want: { kind: 'GiveUp', reason: 'ConfigurationInvalid', message: /exit code 1/ },
    },
    'a Job deleted in mid-run is an attempt lost': {
      given: { failure: undefined },
      want: { kind: 'Restart', reason: 'AttemptLost', message: /deleted before it ended/ },
    },
  };
  test.each(Object.entries(cases))('%s', (_name, { given, want }) => {
    const got = consequenceOf({ ...setback, ...given });
    expect(got).toMatchObject({ kind: want.kind, reason: want.reason });
    expect(got.message).toMatch(want.message);
  });

  test('kubeflow/trainer#3779: no cause whatever restarts more often than the budget says', () => {
    const failure = fc.record({
      pod: fc.constant('p'),
      exitCode: fc.option(fc.integer({ min: 1, max: 255 }), { nil: undefined }),
      outOfMemory: fc.boolean(),
      disrupted: fc.boolean(),
      reason: fc.constant(undefined),
      message: fc.string(),
    });
    fc.assert(
      fc.property(
        fc.option(failure, { nil: undefined }),
        fc.nat(5),
        fc.option(fc.constant('1Gi'), { nil: undefined }),
        (f, budget, memoryLimit) => {
          let restarts = 0;
          while (restarts < 100) {
            const { kind } = consequenceOf({ ...setback, failure: f, budget, restarts, memoryLimit });
            if (kind === 'GiveUp') break;
            restarts += 1;
          }
          expect(restarts).toBeLessThanOrEqual(budget);
        },
      ),
    );
  });
});
