import { expect, test } from 'vitest';
import { baseline, categorical, driftSpec, numeric } from './builders.ts';
import { idle, questions } from './questions.ts';

const of = baseline([numeric('distance', [1, 1]), categorical('origin', [1, 1])], [numeric('late', [1, 1])]);

test('everything that is asked for is asked of everything that has it', () => {
  const spec = driftSpec({
    js: '0.1',
    ks: '0.3',
    outOfRange: '5%',
    unseen: '5%',
    outliers: '1%',
    accuracy: { min: '75%' },
    calibration: { max: '5%' },
  });
  expect(questions(spec, of).map(({ name, measure }) => `${name} ${measure}`)).toEqual([
    ...['distance psi', 'distance js', 'distance ks', 'distance missing', 'distance outOfRange'],
    ...['origin psi', 'origin js', 'origin missing', 'origin unseen'],
    ...['late psi', 'late js', 'late ks', 'late missing', 'late outOfRange'],
    ...['rows outliers', 'labels accuracy', 'labels calibration'],
  ]);
});

test.each([
  [
    'a name that the baseline has not',
    { ignore: ['dist'] },
    ['The baseline has no dist: it has distance, origin, late.'],
  ],
  [
    'ks of categories',
    { features: { origin: { ks: '0.1' } } },
    ['origin has categories, which have no ks: give it psi or js.'],
  ],
  ['nothing', { features: { late: { ks: '0.1' } }, ignore: ['origin'], outliers: '1%' }, []],
] as const)('a spec that asks for %s', (_, asked, sentences) => {
  expect(idle(driftSpec(asked as object), of)).toEqual(sentences);
});

test('outliers of a model without numeric features can not be told', () => {
  const texts = baseline([categorical('origin', [1])]);
  expect(idle(driftSpec({ outliers: '1%' }), texts)).toEqual([
    'outliers needs a numeric feature, and the baseline has none.',
  ]);
});

test('of many features the first eight are named', () => {
  const wide = baseline(Array.from({ length: 20 }, (_, i) => numeric(`f${i}`, [1, 1])));
  expect(idle(driftSpec({ ignore: ['x'] }), wide)).toEqual([
    'The baseline has no x: it has f0, f1, f2, f3, f4, f5, f6, f7 and 12 more.',
  ]);
});
