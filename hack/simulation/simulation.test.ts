import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { describe, expect, test } from 'vitest';
import { comparisonTimes } from './comparisons.ts';
import { falseOpinions, opinionTimes } from './copies.ts';
import { coverage, coverageCases } from './coverage.ts';
import { asText, withTables } from './page.ts';
import { falseBlame, sharedFaults } from './pairs.ts';
import { evidenceNeeded, missedRegressions } from './rates.ts';
import { isMoreThan, type Section, tail } from './section.ts';

const section: Section = {
  name: 'detection',
  title: 'Seconds',
  head: ['rate', 'of a candidate that gets ten requests a second', 'of one that gets a hundred'],
  rows: [['30%', '2 (6)', '2 (3)']],
  broken: [],
  measurements: [],
};
const marked = (middle: string): string =>
  `Before.\n\n<!-- simulated: detection, written by make simulate -->\n\n${middle}\n\n<!-- end of simulated -->\n\nAfter.\n`;

describe('the page', () => {
  test('gets the table between its marks, and keeps its prose', () => {
    const once = withTables(marked('old'), [section]);
    expect(once).toContain('| 30% | 2 (6) | 2 (3) |');
    expect(once).not.toContain('old');
    expect(once.startsWith('Before.') && once.endsWith('After.\n')).toBe(true);
    expect(withTables(once, [section])).toBe(once);
  });

  test('without the marks is refused: a table nobody sees is no proof', () => {
    expect(() => withTables('# Statistics\n', [section])).toThrow('has lost its marks for detection');
  });

  test('of the repository has the marks of every table', async () => {
    const page = await readFile(join(repositoryRoot, 'docs', 'statistics.md'), 'utf8');
    const names = [
      'evidence',
      'detection',
      'false-rollbacks',
      'false-rollbacks-unaligned',
      'false-rollbacks-high',
      'second-opinion-times',
      'second-opinions',
      'missed-regressions',
      'power',
      'comparison-times',
      'false-blame',
      'false-blame-unaligned',
      'false-blame-rare',
      'false-blame-known',
      'shared-faults',
      'speed',
    ];
    const sections = names.map((name) => ({ ...section, name }));
    expect(withTables(page, sections).match(/\| 30% \| 2 \(6\)/g)).toHaveLength(names.length);
  });
});

test('the page of the gates has the marks of its table', async () => {
  const page = await readFile(join(repositoryRoot, 'docs', 'gates.md'), 'utf8');
  expect(withTables(page, [{ ...section, name: 'coverage' }])).toMatch(/\| 30% \| 2 \(6\)/);
});

describe('intervals of gates', { timeout: 60_000 }, () => {
  const plain = coverageCases().filter(({ isResampled }) => !isResampled);
  test('without resampling hold the truth in 94 of 100 samples at least', () => {
    const { head, rows, broken } = coverage(100, plain, [50, 200]);
    expect(broken).toEqual([]);
    for (const row of rows) expect(row).toHaveLength(head.length);
  });

  test('with resampling too', () => {
    const resampled = coverageCases().filter(({ isResampled }) => isResampled);
    expect(coverage(160, resampled, [50]).broken).toEqual([]);
  });

  test('that are too narrow are found out', () => {
    const narrow = plain.slice(0, 1).map((one) => ({
      ...one,
      once: (...given: Parameters<typeof one.once>) => {
        const { value, low, high } = one.once(...given);
        return { value, low: (low + value) / 2, high: (high + value) / 2 };
      },
    }));
    expect(coverage(100, narrow, [200]).broken).toEqual([
      expect.stringMatching(/^accuracy, n=200: \d+ of 100 intervals miss the truth$/),
    ]);
  });
});

test('in a terminal no line is wider than 80 columns', () => {
  const wide = { ...section, title: 'A title '.repeat(20), head: section.head.map((cell) => cell.padEnd(40, '.')) };
  for (const text of [asText(section), asText(wide)])
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('a promise counts as broken when chance does not explain it', () => {
  expect(isMoreThan(0.001, 6, 2000)).toBe(false);
  expect(isMoreThan(0.001, 7, 2000)).toBe(true);
  expect(isMoreThan(0.05, 128, 2000)).toBe(true);
  expect(isMoreThan(0.05, 125, 2000)).toBe(false);
});

test.each([
  [0.5, 8, 10, 56 / 1024],
  [0.1, 0, 10, 1],
  [0.001, 1, 2000, 1 - 0.999 ** 2000],
])('the tail of the binomial, chance %d, %d hits or more of %d, is %d', (level, count, runs, chance) => {
  expect(tail(level, count, runs)).toBeCloseTo(chance, 10);
});

describe('a small simulation', { timeout: 60_000 }, () => {
  test.each([
    ['evidence', evidenceNeeded, 100],
    ['missed regressions', missedRegressions, 20],
    ['false blame', falseBlame, 20],
    ['shared faults', sharedFaults, 20],
    ['comparison times', comparisonTimes, 50],
    ['second opinions', falseOpinions, 4],
    ['times with a second opinion', opinionTimes, 50],
  ])('%s: fills every cell and keeps its promise', (_name, simulate, runs) => {
    const { head, rows, broken } = simulate(runs);
    for (const row of rows) expect(row).toHaveLength(head.length);
    expect(rows.flat().filter((cell) => /NaN|undefined|Infinity/.test(cell))).toEqual([]);
    expect(broken).toEqual([]);
  });
});
