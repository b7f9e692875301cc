import type { InferenceServiceSpec, RolloutStep } from '@slipway/crds';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { worldOf } from './builders.ts';
import { risksOf, type StepRisks } from './risks.ts';

const rolloutOf = (steps: readonly RolloutStep[], fail = '0.999'): InferenceServiceSpec['rollout'] =>
  worldOf({ guards: [], steps, confidence: { fail, pass: '0.95' } }).spec.rollout;

const shadows = (n: number): RolloutStep[] => Array.from({ length: n }, () => ({ shadow: 100 }));
const weights = (n: number): RolloutStep[] => Array.from({ length: n }, (_, i) => ({ weight: i + 1 }));

/** A step of an hour. */
const blocks = Array.from({ length: 240 }, (_, i) => i + 1);
const sum = (parts: readonly number[]): number => parts.reduce((a, b) => a + b, 0);

test('all windows of all questions together spend no more than was promised', () => {
  const questions = fc.integer({ min: 1, max: 32 });
  fc.assert(
    fc.property(fc.nat(8), fc.integer({ min: 1, max: 20 }), questions, (before, steps, n) => {
      const alpha = 0.001;
      const { whole, requests, compared, outside, shadow } = risksOf(
        rolloutOf([...shadows(before), ...weights(steps)]),
        n,
      );
      // A step begins a window, and another once its weight is programmed; so does the bake.
      const windows = 2 * (before + steps + 1);
      const ofStep = ({ step, recent }: StepRisks) => step.fail + sum(blocks.map((block) => recent(block).fail));
      const ofRequests = requests.rollout.fail + windows * ofStep(requests);
      for (const spent of [
        whole.fail,
        ofRequests,
        windows * ofStep(compared),
        windows * outside.fail,
        before * shadow.fail,
      ]) {
        expect(n * spent).toBeLessThanOrEqual(alpha * (1 + 1e-9));
        expect(n * spent).toBeGreaterThan(spent === before * shadow.fail ? -1 : 0.9 * alpha);
      }
    }),
  );
});

test('a lone question over the whole rollout has all of it', () => {
  expect(risksOf(rolloutOf(weights(3), '0.95'), 1).whole).toEqual({
    fail: expect.closeTo(0.05, 10),
    pass: expect.closeTo(0.05, 10),
  });
});

test('the risk of a wrong Pass is not split: all guards must pass, so that each more lowers it', () => {
  expect(risksOf(rolloutOf(weights(3)), 10).requests.step.pass).toBeCloseTo(0.05, 10);
});

test('a policy without a question divides by nothing', () => {
  expect(risksOf(rolloutOf([{ weight: 100 }]), 0).whole.fail).toBeCloseTo(0.001, 10);
});
