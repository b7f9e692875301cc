import { type Guard, inferenceServiceSpecSchema } from '@slipway/crds';
import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mulberry32 } from '../../analysis/simulation.ts';
import { slowerThan } from '../latency.ts';
import { type Counted, type Interval, NOTHING, parted, type Recording, timeline } from './record.ts';
import { tallyOf } from './recordedTally.ts';
import { answerable, inOrder, resampled } from './replay.ts';

const policy = (guards: readonly Guard[], more: object = {}) =>
  inferenceServiceSpecSchema.parse({
    model: { name: 'flights', version: '1.0.0' },
    rollout: { guards, steps: [{ weight: 50 }, { weight: 100 }], ...more },
  }).rollout;
const errors: Guard = { name: 'errors', errors: { max: '1%' } };
const latency: Guard = { name: 'latency', latency: { threshold: '60ms', quantile: 95 } };

const START = Date.UTC(2030, 0, 1);
/** Intervals of 10 s with so many requests each, changed from one on. */
const record = (length: number, counted: Partial<Counted>, from = length, then: Partial<Counted> = {}): Interval[] =>
  Array.from({ length }, (_, i) => ({
    ...NOTHING,
    total: 1000,
    ...(i < from ? counted : then),
    at: START + i * 10_000,
    seconds: 10,
  }));
const of = (stable: readonly Interval[], candidate: readonly Interval[] = []): Recording => ({ stable, candidate });

describe('a record in its order', () => {
  test('says when each guard would have failed, by the numbers it had then', () => {
    const stable = record(30, { bad: 1, slower: { 60: 10 } }, 20, { bad: 300, slower: { 60: 10 } });
    const [first, second] = inOrder(policy([errors, latency]), of(stable));
    expect(first?.guard).toMatchObject({ name: 'errors', verdict: 'Fail', limit: '1%' });
    expect(first?.failedAfter).toBeGreaterThan(200);
    expect(first?.failedAfter).toBeLessThan(215);
    expect(second).toMatchObject({ guard: { name: 'latency', verdict: 'Pass' }, failedAfter: undefined });
  });

  test('of a rollout holds the candidate against the stable version of the same seconds', () => {
    const worse: Guard = { name: 'worse', errors: { worseBy: '1%' } };
    const [bad, good] = [record(12, { bad: 100 }), record(12, { bad: 1 })];
    const rollout = policy([errors, worse]);
    const verdicts = (recording: Recording) => inOrder(rollout, recording).map(({ guard }) => guard.verdict);
    expect(verdicts(of(good, bad))).toEqual(['Fail', 'Fail']);
    expect(verdicts(of(bad, bad))).toEqual(['SharedFault', 'NeedMore']);
  });

  test('takes a gap for a time in which nobody asked', () => {
    const [first, , third] = record(3, { bad: 1 });
    const seconds = timeline([first, third] as Interval[], START);
    expect(seconds).toHaveLength(30);
    expect(seconds.slice(10, 20).every(({ total }) => total === 0)).toBe(true);
  });
});

describe('rollouts of a candidate as good as the stable version was', () => {
  const rollout = policy([errors, latency]);
  test('are promoted, in the time that the traffic needs, and the same each time', () => {
    const question = { rollout, recording: of(record(60, { bad: 1, slower: { 60: 5 } })), runs: 10, mostSeconds: 3600 };
    const played = resampled(question);
    expect(played.map(({ outcome }) => outcome)).toEqual(new Array(10).fill('Promoted'));
    expect(played[0]?.steps.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(resampled(question)).toEqual(played);
    expect(new Set(played.map(({ seconds }) => seconds)).size).toBeGreaterThan(1);
  });

  test('are rolled back where the policy is too strict for what is usual, or held where it can not tell', () => {
    const bad = of(record(60, { bad: 50, slower: { 60: 5 } }));
    const outcomes = (more: object) =>
      resampled({ rollout: policy([errors], more), recording: bad, runs: 5, mostSeconds: 300 }).map((r) => r.outcome);
    // The stable version suffers it too: nobody is blamed while it is asked.
    expect(outcomes({})).toEqual(new Array(5).fill('Held'));
    expect(outcomes({ steps: [{ weight: 100 }] })).toEqual(new Array(5).fill('RolledBack'));
  });
});

test('guards that a record can not answer are named with the reason', () => {
  const all: Guard[] = [
    errors,
    latency,
    { name: 'labels', accuracy: { min: '90%' } },
    { name: 'copies', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } },
    { name: 'bins', predictionShift: { psi: '0.2' } },
    { name: 'smoke', job: { image: 'test', timeout: '1m' } },
  ];
  const { rollout, leftOut } = answerable(
    policy(all, { steps: [{ shadow: 100 }, { weight: 100 }] }),
    of(record(4, { bad: 1 })),
  );
  expect(rollout.guards?.map(({ name }) => name)).toEqual(['errors']);
  expect(leftOut.map(({ name, why }) => `${name}: ${why}`)).toEqual([
    'latency: the record does not tell how many were slower than 60 ms',
    'labels: the record has no labels',
    'copies: a record has no copies to compare',
    'bins: a record has no predictions',
    'smoke: it asks something outside of the traffic',
  ]);
  const told = of(record(4, { slower: { 60: 1 }, right: 9, wrong: 1 }));
  expect(answerable(policy(all.slice(0, 3)), told).leftOut).toEqual([]);
});

const counted = fc
  .record({ total: fc.nat(2000), bad: fc.double({ min: 0, max: 1, noNaN: true }), slow: fc.nat(100) })
  .map(({ total, bad, slow }): Counted => {
    const [few, some] = [Math.floor((total * slow) / 200), Math.floor((total * slow) / 100)];
    return { ...NOTHING, total, bad: Math.floor(total * bad), slower: { 60: some, 100: few }, right: few, wrong: few };
  });

describe('of any second', () => {
  test('the parts of a split add up to it, and none has more of anything than it has requests', () => {
    fc.assert(
      fc.property(counted, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (second, share, seed) => {
        const [one, rest] = parted(second, share, mulberry32(seed));
        expect(one.total + rest.total).toBe(second.total);
        expect(one.bad + rest.bad).toBe(second.bad);
        expect((one.slower[60] ?? 0) + (rest.slower[60] ?? 0)).toBe(second.slower[60]);
        expect(one.right + rest.right + one.wrong + rest.wrong).toBe(second.right + second.wrong);
        for (const part of [one, rest])
          for (const count of [part.bad, ...Object.values(part.slower)]) {
            expect(count).toBeGreaterThanOrEqual(0);
            expect(count).toBeLessThanOrEqual(part.total);
          }
      }),
    );
  });

  test('the seconds of an interval add up to it', () => {
    fc.assert(
      fc.property(counted, fc.integer({ min: 1, max: 90 }), (interval, seconds) => {
        const all = timeline([{ ...interval, at: START, seconds }], START);
        expect(all).toHaveLength(seconds);
        expect(all.reduce((sum, { total }) => sum + total, 0)).toBe(interval.total);
        expect(all.reduce((sum, { slower }) => sum + (slower[60] ?? 0), 0)).toBe(interval.slower[60]);
      }),
    );
  });

  test('its histogram has as many beyond each threshold as were recorded', () => {
    fc.assert(
      fc.property(counted, (second) => {
        const tally = tallyOf(second);
        expect(tally.latency).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
        expect(slowerThan(60)(tally)).toBe(second.slower[60]);
        expect(slowerThan(100)(tally)).toBe(second.slower[100]);
      }),
    );
  });
});
