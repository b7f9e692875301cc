import type { Guard, RolloutStep } from '@slipway/crds';
import { expect, test } from 'vitest';
import { median } from '../analysis/simulation.ts';
import { worldOf } from './builders.ts';
import type { Model } from './rehearsal/model.ts';
import { firstFail, type SimulatedRollout } from './simulation.ts';

/** Hundreds of looks take seconds where the machine is busy. */
const SLOW = { timeout: 60_000 };

const guards: readonly Guard[] = [
  { name: 'errors', errors: { max: '1%', worseBy: '0.5%' } },
  { name: 'latency', latency: { threshold: '60ms', quantile: 95 } },
  { name: 'answers', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } },
  { name: 'predictions', predictionShift: { psi: '0.2' } },
  { name: 'invalid', invalidOutputs: { max: '0.1%' } },
];
const steps: readonly RolloutStep[] = [{ shadow: 100 }, { weight: 10 }, { weight: 50 }, { weight: 100 }];
const tenBins = new Array<number>(10).fill(0.1);
/** As bad as every limit allows: the candidate that is rolled back by mistake most easily. */
const atEveryLimit: Model = { errors: 0.01, slow: 0.05, invalid: 0.001, differing: 0.02, predictions: tenBins };
const healthy: Model = { errors: 0.001, slow: 0.01, invalid: 0, differing: 0, predictions: tenBins };

interface Case extends Omit<SimulatedRollout, 'seed' | 'rollout'> {
  readonly steps: readonly RolloutStep[];
  readonly fail: string;
}

const fails = (rollouts: number, { steps: policy, fail, ...traffic }: Case) => {
  const { rollout } = worldOf({ guards, steps: policy, confidence: { fail, pass: '0.95' } }).spec;
  return Array.from({ length: rollouts }, (_, seed) => firstFail({ ...traffic, rollout, seed: seed + 1 }));
};

test.each([
  ['independent', 0],
  ['that come in bursts', 0.1],
])('faults %s at every limit roll back at most alpha of the rollouts, looked at each second', SLOW, (_kind, burst) => {
  const ended = fails(30, {
    steps,
    candidate: atEveryLimit,
    stable: atEveryLimit,
    perSecond: 60,
    stepSeconds: 5,
    burst,
    fail: '0.95',
  });
  expect(ended.filter((end) => end !== undefined).length).toBeLessThanOrEqual(0.05 * ended.length);
});

test.each([
  ['errors in 30 % of the requests, 100 a second for the candidate', { ...healthy, errors: 0.3 }, 1000, 3],
  ['errors in 30 % of the requests, 10 a second for the candidate', { ...healthy, errors: 0.3 }, 100, 3],
  ['errors in 10 % of the requests, 100 a second for the candidate', { ...healthy, errors: 0.1 }, 1000, 8],
  ['half of the answers slow, 100 a second for the candidate', { ...healthy, slow: 0.5 }, 1000, 3],
  ['NaN in a fifth of the answers, 100 a second for the candidate', { ...healthy, invalid: 0.2 }, 1000, 3],
])('%s are failed within as many looks', SLOW, (_fault, candidate, perSecond, looks) => {
  const canary = [{ weight: 10 }, { weight: 25 }, { weight: 50 }, { weight: 100 }];
  const ended = fails(41, {
    steps: canary,
    candidate,
    stable: healthy,
    perSecond,
    stepSeconds: 30,
    fail: '0.999',
  });
  expect(ended.every((end) => end !== undefined)).toBe(true);
  expect(median(ended.map((end) => end?.looks ?? Number.POSITIVE_INFINITY))).toBeLessThanOrEqual(looks);
});

test('a fault that comes after many clean requests is failed within seconds, not when it outweighs them', SLOW, () => {
  const canary = [{ weight: 10 }, { weight: 100 }];
  const turns = { after: 40, into: { ...healthy, errors: 0.3 } };
  const rest = { steps: canary, candidate: healthy, stable: healthy, stepSeconds: 55, fail: '0.999' };
  const looks = fails(7, { ...rest, perSecond: 200, turns }).map(
    (end) => (end?.looks ?? Number.POSITIVE_INFINITY) - turns.after,
  );
  expect(median(looks)).toBeLessThanOrEqual(6);
  expect(Math.min(...looks)).toBeGreaterThan(0);
});

test('wrong answers and moved predictions are failed in shadow, before any user saw them', SLOW, () => {
  const swapped = fails(11, {
    steps,
    candidate: { ...healthy, differing: 0.2 },
    stable: healthy,
    perSecond: 100,
    stepSeconds: 30,
    fail: '0.999',
  });
  expect(new Set(swapped.map((end) => end?.guard))).toEqual(new Set(['answers']));
  const moved = { ...healthy, predictions: [0.3, 0.2, 0.1, 0.1, 0.1, 0.06, 0.05, 0.04, 0.03, 0.02] };
  const shifted = fails(11, {
    steps,
    candidate: moved,
    stable: healthy,
    perSecond: 100,
    stepSeconds: 30,
    fail: '0.999',
  });
  expect(new Set(shifted.map((end) => end?.guard))).toEqual(new Set(['predictions']));
  for (const end of [...swapped, ...shifted]) expect(end?.looks).toBeLessThanOrEqual(30);
});
