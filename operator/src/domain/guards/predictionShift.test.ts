import { expect, test } from 'vitest';
import type { PredictionLook } from '../rollout/world.ts';
import { type Scene, seen, served, verdictIn } from './builders.ts';

const guards = [{ name: 'predictions', predictionShift: { psi: '0.2' } }];
type Bins = readonly [candidate: readonly number[], stable: readonly number[]];
const look = (number: number, predictions: Readonly<Record<string, Bins>>): PredictionLook => ({
  look: number,
  predictions: Object.entries(predictions).map(([name, [candidate, stable]]) => ({ name, candidate, stable })),
});
const scene = (predictionLook?: PredictionLook, more: Partial<Scene> = {}): Scene => ({
  guards,
  candidate: seen(served(500), predictionLook === undefined ? {} : { predictionLook }),
  stable: seen(served(4500)),
  ...more,
});

const same: Bins = [
  [800, 900, 850, 850],
  [8100, 8900, 8500, 8500],
];
const shifted: Bins = [
  [200, 300, 900, 2000],
  [8100, 8900, 8500, 8500],
];
const unsure: Bins = [
  [10, 40, 25, 25],
  [250, 250, 250, 250],
];

test.each([
  ['predictions like those of the stable version pass', look(6, { delay: same }), 'Pass'],
  ['predictions that moved fail, without one error', look(6, { delay: shifted }), 'Fail'],
  ['a first look that may be chance is no verdict', look(1, { delay: unsure }), 'NeedMore'],
  ['no look yet is no verdict', undefined, 'NeedMore'],
])('%s', (_sentence, predictionLook, verdict) => expect(verdictIn(scene(predictionLook)).verdict).toBe(verdict));

test('names the prediction that moved most, with its index', () => {
  expect(verdictIn(scene(look(6, { delay: same, cost: shifted })))).toMatchObject({
    verdict: 'Fail',
    rate: expect.stringMatching(/^0\.\d{1,3}$/),
    limit: '0.2',
    n: 3400,
    message: 'PSI of cost',
  });
});

test('says how many rows it waits for', () => {
  expect(verdictIn(scene()).message).toBe('the first look is at 100 rows of each version');
  expect(verdictIn(scene(look(1, { delay: unsure }))).message).toBe(
    'PSI of delay; the next look is at 200 rows of each version',
  );
});

test('more requests say nothing before the next look', () => {
  const predictionLook = look(1, { delay: unsure });
  const at = (requests: number) =>
    verdictIn(scene(undefined, { candidate: seen(served(requests), { predictionLook }) }));
  expect(at(9000)).toEqual(at(500));
});

test('is blind in a step without requests, whatever was seen before', () => {
  const candidate = seen(served(0), { predictionLook: look(6, { delay: same }) });
  expect(verdictIn(scene(undefined, { candidate })).verdict).toBe('Blind');
});

test('fails all the same where the step had none', () => {
  const candidate = seen(served(0), { predictionLook: look(6, { delay: shifted }) });
  expect(verdictIn(scene(undefined, { candidate })).verdict).toBe('Fail');
});

test('names predictions that can not be compared, and is blind where there is no other', () => {
  const predictions = ['delay', 'cost'];
  const some = seen(served(500), { predictions, predictionLook: look(6, { delay: same }) });
  expect(verdictIn(scene(undefined, { candidate: some }))).toMatchObject({
    verdict: 'Pass',
    message: "PSI of delay; can't be compared: cost",
  });
  const none = seen(served(500), { predictions, predictionLook: look(6, {}) });
  expect(verdictIn(scene(undefined, { candidate: none })).verdict).toBe('Blind');
});
