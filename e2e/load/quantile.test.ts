import { expect, test } from 'vitest';
import { quantile } from './quantile.ts';

const TWENTY = Array.from({ length: 20 }, (_, i) => 20 - i);

test.each([
  [TWENTY, 0.5, 10],
  [TWENTY, 0.95, 19],
  [TWENTY, 0.99, 20],
  [[3], 0.5, 3],
  [[3], 0, 3],
])('of %j the quantile %d is %d', (values, q, expected) => {
  expect(quantile(values, q)).toBe(expected);
});

test('of no values there is none', () => expect(quantile([], 0.5)).toBeNaN());
