import { describe, expect, test } from 'vitest';
import { chiSquareUpperTail, normalQuantile } from './chiSquare.ts';

describe('the upper tail of chi-square', () => {
  // Exact where there is a closed form: e^(−x/2) for 2, e^(−x/2)(1 + x/2) for 4; tables for the rest (A&S 26.8).
  test.each([
    [0, 3, 1],
    [3.841458820694124, 1, 0.05],
    [6.634896601021213, 1, 0.01],
    [16.918977604620448, 9, 0.05],
    [27.877164871256568, 9, 0.001],
    [2, 2, Math.exp(-1)],
    [100, 2, Math.exp(-50)],
    [60, 4, Math.exp(-30) * 31],
    [1, 4, Math.exp(-0.5) * 1.5],
  ])('beyond %d with %d degrees of freedom is %d', (x, freedom, want) => {
    expect(chiSquareUpperTail(x, freedom) / want).toBeCloseTo(1, 9);
  });

  test('without a degree of freedom nothing differs', () => expect(chiSquareUpperTail(5, 0)).toBe(1));
});

describe('the normal quantile', () => {
  test.each([
    [0.5, 0],
    [0.025, 1.959963984540054],
    [0.975, -1.959963984540054],
    [0.001, 3.090232306167813],
    [1e-9, 5.997807015008182],
  ])('exceeded with chance %d is %d', (alpha, z) => expect(normalQuantile(alpha)).toBeCloseTo(z, 9));
});
