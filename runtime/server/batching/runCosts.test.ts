import { describe, expect, it } from 'vitest';
import { RunCosts } from './runCosts.ts';

function costs(...learnt: [rows: number, ms: number][]): RunCosts {
  const known = new RunCosts();
  for (const [rows, ms] of learnt) known.learn(rows, ms);
  return known;
}

describe('what a run costs', () => {
  it.each<[what: string, learnt: [number, number][], rows: number, ms: number]>([
    ['nothing is known', [], 4, 0],
    ['the size is known', [[4, 10]], 4, 10],
    [
      'it lies between two known sizes',
      [
        [1, 10],
        [33, 42],
      ],
      17,
      26,
    ],
    ['only fewer rows are known: at least as much', [[2, 10]], 64, 10],
    ['only more rows are known: at least its share', [[32, 64]], 8, 16],
  ])('is estimated when %s', (_, learnt, rows, ms) => {
    expect(costs(...learnt).of(rows)).toBeCloseTo(ms, 6);
  });

  it('follows a lasting change within some ten runs', () => {
    const known = costs(...Array.from({ length: 20 }, (): [number, number] => [8, 10]));
    for (let i = 0; i < 12; i += 1) known.learn(8, 20);
    expect(known.of(8)).toBeGreaterThan(18);
  });

  it('believes one hiccup for no more than four times the usual', () => {
    const known = costs(...Array.from({ length: 20 }, (): [number, number] => [8, 10]));
    known.learn(8, 5000);
    expect(known.of(8)).toBeLessThan(17);
  });

  it('is half more than a run had lasted that was ended before its time, at once', () => {
    const known = costs([8, 10], [8, 10], [8, 10]);
    known.learnUnfinished(8, 300);
    expect(known.of(8)).toBe(450);
    known.learnUnfinished(8, 50);
    expect(known.of(8)).toBe(450);
    known.learn(8, 10);
    expect(known.of(8), 'until a run ends by itself').toBe(10);
  });

  it('is more at worst, where runs differ', () => {
    const steady = costs(...Array.from({ length: 20 }, (): [number, number] => [8, 10]));
    expect(steady.atWorst(8)).toBe(10);
    const uneven = costs(...Array.from({ length: 40 }, (_, i): [number, number] => [8, i % 2 ? 5 : 15]));
    expect(uneven.atWorst(8)).toBeGreaterThan(15);
  });

  it('names the highest cost it knows', () => {
    expect(costs([1, 3], [8, 9], [64, 5]).highest).toBe(9);
  });
});
