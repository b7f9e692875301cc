import type { Guard } from '@slipway/crds';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import { expect, test } from 'vitest';
import type { Model } from './model.ts';
import { type RehearsalQuestion, rehearse } from './rehearse.ts';

const flat = [0.25, 0.25, 0.25, 0.25];
const good: Model = { errors: 0, slow: 0.001, invalid: 0, differing: 0.001, predictions: flat };
const errors: Guard = { name: 'errors', errors: { max: '1%' } };
type Rollout = RehearsalQuestion['rollout'];
const policy = (rollout: Partial<Rollout>): Rollout =>
  inferenceServiceSpecSchema.parse({
    model: { name: 'flights', version: '1.0.0' },
    rollout: { guards: [errors], ...rollout },
  }).rollout;

const ask = (rollout: Partial<Rollout>, more: Partial<RehearsalQuestion> = {}) =>
  rehearse({
    rollout: policy(rollout),
    candidate: good,
    stable: good,
    perSecond: 200,
    seed: 1,
    mostSeconds: 600,
    ...more,
  });

test('a good candidate is promoted, each step as long as its guards need', () => {
  const { outcome, steps, seconds, served, failed } = ask({ steps: [{ weight: 50 }, { weight: 100 }] });
  expect({ outcome, failed }).toEqual({ outcome: 'Promoted', failed: 0 });
  // 984 clean requests pass: at 100 a second ten seconds and a little, at 200 half of it. The bake of 0 s needs a look.
  expect(steps.map(({ index, weight }) => [index, weight])).toEqual([
    [0, 50],
    [1, 100],
    [2, 100],
  ]);
  expect(steps[0]?.seconds).toBeGreaterThanOrEqual(10);
  expect(steps[1]?.seconds).toBeLessThan(steps[0]?.seconds ?? 0);
  expect(seconds).toBe(steps.reduce((all, step) => all + step.seconds, 0));
  expect(served).toBe(steps.reduce((all, step) => all + step.seconds * 2 * (step.weight ?? 0), 0));
});

test('a step lasts for its `for`, an approval no time at all, and the bake comes last', () => {
  const { steps } = ask({ steps: [{ weight: 50, for: '1m' }, { approval: true }, { weight: 100 }], bake: '2m' });
  expect(steps.map(({ index }) => index)).toEqual([0, 2, 3]);
  expect(steps[0]?.seconds).toBe(60);
  expect(steps[2]?.seconds).toBe(120);
});

test('a bad one is rolled back in seconds, by the guard that is named', () => {
  const { outcome, guard, seconds, served, failed } = ask(
    { steps: [{ weight: 10 }, { weight: 100 }] },
    { candidate: { ...good, errors: 0.3 }, perSecond: 1000 },
  );
  expect([outcome, guard]).toEqual(['RolledBack', 'errors']);
  expect(seconds).toBeLessThanOrEqual(4);
  expect(served).toBe(100 * seconds);
  expect(failed / served).toBeCloseTo(0.3, 0);
});

test('what shadow shows costs no user an answer', () => {
  const answers: Guard = { name: 'answers', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } };
  const rollout = { steps: [{ shadow: 100 }, { weight: 100 }], guards: [answers] };
  expect(ask(rollout, { candidate: { ...good, differing: 0.3 } })).toMatchObject({
    outcome: 'RolledBack',
    guard: 'answers',
    steps: [{ index: 0, shadow: 100 }],
    served: 0,
  });
});

test.each<[string, Partial<Rollout>, Partial<RehearsalQuestion>, string]>([
  ['a rate on its limit is held', { steps: [{ weight: 100 }] }, { candidate: { ...good, errors: 0.01 } }, 'Held'],
  ['no traffic is held', { steps: [{ weight: 10 }, { weight: 100 }] }, { perSecond: 0 }, 'Held'],
  [
    'no traffic for longer than patience is rolled back where onBlind says so',
    { steps: [{ weight: 100 }], onBlind: 'RollBack', patience: '1m' },
    { perSecond: 0 },
    'RolledBack',
  ],
  [
    'a Fail is held where onFail says so',
    { steps: [{ weight: 100 }], onFail: 'Hold' },
    { candidate: { ...good, errors: 0.3 } },
    'Held',
  ],
  [
    'the same trouble of both is held',
    { steps: [{ weight: 50 }, { weight: 100 }] },
    { candidate: { ...good, errors: 0.3 }, stable: { ...good, errors: 0.3 } },
    'Held',
  ],
  [
    'labels that never come hold the bake',
    { steps: [{ weight: 100 }], guards: [{ name: 'errors', accuracy: { min: '90%' } }] },
    {},
    'Held',
  ],
  [
    'labels that come let it go on',
    { steps: [{ weight: 100 }], guards: [{ name: 'errors', accuracy: { min: '90%' } }] },
    { candidate: { ...good, labelled: 0.1, wrong: 0.02 } },
    'Promoted',
  ],
])('%s', (_sentence, rollout, more, outcome) => {
  const ended = ask(rollout, { mostSeconds: 120, ...more });
  expect(ended.outcome).toBe(outcome);
  expect(ended.guard).toBe(outcome === 'Promoted' ? undefined : 'errors');
});

test('an observed guard changes nothing', () => {
  expect(ask({ steps: [{ weight: 100 }], observe: true }, { candidate: { ...good, errors: 0.5 } }).outcome).toBe(
    'Promoted',
  );
});

test('guards that ask something outside are left out, and said to be', () => {
  const smoke: Guard = { name: 'smoke', job: { image: 'test', timeout: '1m' } };
  expect(ask({ steps: [{ weight: 100 }], guards: [errors, smoke] })).toMatchObject({
    outcome: 'Promoted',
    leftOut: ['smoke'],
  });
});

test('the same seed gives the same rehearsal, another one another', () => {
  const candidate = { ...good, errors: 0.1 };
  const run = (seed: number) => ask({ steps: [{ weight: 10 }, { weight: 100 }] }, { candidate, seed });
  expect(run(1)).toEqual(run(1));
  expect(new Set([1, 2, 3, 4, 5].map((seed) => run(seed).failed)).size).toBeGreaterThan(1);
});

test('latency is judged at whatever threshold the guard has', () => {
  const guards: Guard[] = [{ name: 'p99', latency: { threshold: '5ms', quantile: 99 } }];
  expect(ask({ steps: [{ weight: 100 }], guards }, { candidate: { ...good, slow: 0.3 } })).toMatchObject({
    outcome: 'RolledBack',
    guard: 'p99',
  });
});
