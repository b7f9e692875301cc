import { expect, test } from 'vitest';
import { trainingJob } from '../../test/trainingBuilders.ts';
import { parameterClash } from './trainingJobEnv.ts';

const clash = (...names: string[]) =>
  parameterClash(trainingJob({ parameters: Object.fromEntries(names.map((name) => [name, '1'])) }).spec);

test.each([
  [
    ['learning-rate', 'learning_rate'],
    'Parameters learning-rate and learning_rate would both be SLIPWAY_PARAM_LEARNING_RATE',
  ],
  [['LR', 'lr'], 'Parameters LR and lr would both be SLIPWAY_PARAM_LR'],
  [['a.b', 'x', 'a-b'], 'Parameters a-b and a.b would both be SLIPWAY_PARAM_A_B'],
])('parameters %j are refused: one would be lost', (names, sentence) => {
  expect(clash(...names)).toBe(`${sentence}: rename one of them.`);
});

test('parameters that differ as variables too are none too many', () => {
  expect(clash('lr', 'lr2', 'epochs')).toBeUndefined();
});
