import type { Guard } from '@slipway/crds';
import { expect, test } from 'vitest';
import { type Scene, seen, served, worldOf } from './builders.ts';
import { guardFaults } from './faults.ts';

const answers: Guard = { name: 'answers', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } };
const predictions: Guard = { name: 'predictions', predictionShift: { psi: '0.2' } };
const query: Guard = { name: 'revenue', prometheus: { bad: 'b', total: 't', max: '1%', failures: 3, interval: '15s' } };

const faults = (scene: Scene): readonly string[] => guardFaults(worldOf(scene));
const counting = (...names: string[]) => seen(served(0), { predictions: names });

test('a policy whose guards can all be judged has none', () => {
  const guards: Guard[] = [{ name: 'errors', errors: { max: '1%' } }, answers, predictions, query];
  expect(faults({ guards, candidate: counting('delay'), stable: counting('delay') })).toEqual([]);
});

const rate = { failures: 3, interval: '15s' };
test.each<[string, Omit<Guard, 'name'>, string]>([
  ['errors', { errors: { max: '0%' } }, 'allows 0%'],
  ['a margin', { errors: { max: '1%', worseBy: '0.00%' } }, 'allows 0.00%'],
  ['slow answers', { latency: { threshold: '60ms', quantile: 95, worseBy: '0%' } }, 'allows 0%'],
  ['answers that differ', { disagreement: { max: '0%', tolerance: '1e-3', k: 5 } }, 'allows 0%'],
  ['answers of no use', { invalidOutputs: { max: '0%' } }, 'allows 0%'],
  ['wrong answers', { accuracy: { min: '100%' } }, 'asks for 100%'],
  ['events', { prometheus: { bad: 'b', total: 't', max: '0%', ...rate } }, 'allows 0%'],
  ['a test', { job: { image: 'x', timeout: '5m', max: '0%' } }, 'allows 0%'],
])('a limit on %s that can never be shown to be kept is one: the rollout would wait for ever', (_what, guard, said) => {
  const scene = { guards: [{ name: 'strict', ...guard }], steps: [{ shadow: 10 }, { weight: 100 }] };
  expect(faults(scene)).toEqual([expect.stringContaining(`Guard strict ${said}, and no number of`)]);
});

test('a plain number may be held against 0', () => {
  expect(faults({ guards: [{ name: 'queue', prometheus: { value: 'q', max: '0', ...rate } }] })).toEqual([]);
});

test('answers that no step compares are one, with the step that mends it', () => {
  expect(faults({ guards: [answers], steps: [{ weight: 10 }, { weight: 100 }] })).toEqual([
    'Guard answers compares answers in shadow steps, and rollout.steps has none: add {shadow: 100, for: 10m} before the first weight, or remove the guard.',
  ]);
});

test('two comparisons at a time are one', () => {
  const other: Guard = { name: 'close', disagreement: { max: '2%', compare: 'tolerance', tolerance: '1e-3', k: 5 } };
  expect(faults({ guards: [answers, other] })).toEqual([
    'Guard close compares answers in another way than guard answers, and pods compare in one way at a time: give both the same compare, tolerance, k and segment, or remove one.',
  ]);
  expect(faults({ guards: [answers, { ...answers, name: 'strict' }] })).toEqual([]);
});

test.each<[string, Partial<Scene>, string | undefined]>([
  ['the candidate', { candidate: counting(), stable: counting('delay') }, 'flights 1.1.0'],
  ['the stable version', { candidate: counting('delay'), stable: counting() }, 'flights 1.0.0'],
  ['no version: its pods have not told yet', { candidate: seen(served(0)), stable: seen(served(0)) }, undefined],
  ['no version: none has a pod yet', {}, undefined],
])('a shift of predictions needs bins, which are missing in %s', (_who, scene, version) => {
  expect(faults({ guards: [predictions], ...scene })).toEqual(
    version === undefined
      ? []
      : [
          `Guard predictions needs the bins of baseline.json, and the artifact of ${version} counts no prediction: publish it with a baseline that lists its predictions, or remove the guard.`,
        ],
  );
});

test('two versions that predict different things are one, for nothing of them can be compared', () => {
  const candidate = seen(served(500), { predictionLook: { look: 1, predictions: [] } });
  expect(faults({ guards: [predictions], candidate })).toEqual([
    'Guard predictions compares predictions that both versions make, of one name and kind, and there is none: remove the guard.',
  ]);
});

test('a query that Prometheus refuses is one, in its words', () => {
  const message = 'bad is no PromQL: 1:5: parse error: unexpected end of input';
  expect(faults({ guards: [query], external: { revenue: { kind: 'Invalid', message } } })).toEqual([
    `Guard revenue can't be asked: ${message}.`,
  ]);
  expect(faults({ guards: [query], external: { revenue: { kind: 'Unreachable', message: 'down' } } })).toEqual([]);
});

test('nothing waits for an observed guard, so it stalls nothing', () => {
  const steps = [{ weight: 100 }];
  expect(faults({ guards: [{ ...answers, observe: true }], steps })).toEqual([]);
  expect(faults({ guards: [answers], steps, observe: true })).toEqual([]);
});
