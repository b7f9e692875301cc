import { describe, expect, test } from 'vitest';
import type { FileResult, SuiteResult } from './result.ts';
import { merged } from './result.ts';
import { type Attempt, type Ended, withSecondTry } from './secondTry.ts';

/** A file by its tests: `ok` and `no` each a letter, `s` one that was skipped; none at all is one that did not load. */
const file = (name: string, letters: string): FileResult => {
  const words = { o: 'passed', n: 'failed', s: 'skipped' } as const;
  const assertionResults = [...letters].map((letter, i) => ({
    fullName: ` test ${i}`,
    status: words[letter as keyof typeof words],
  }));
  const isWell = letters !== '' && !letters.includes('n');
  return { name: `/repo/${name}`, status: isWell ? 'passed' : 'failed', message: 'does not load', assertionResults };
};
const none: SuiteResult = {
  numTotalTests: 0,
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  success: true,
  testResults: [],
};
const suite = (...testResults: readonly FileResult[]): SuiteResult => merged({ ...none, testResults }, none);
const ran = (result: SuiteResult | undefined, more: Partial<Attempt> = {}): Attempt => ({
  exitCode: result?.success === true ? 0 : 1,
  result,
  unhandled: false,
  ...more,
});

async function ended(
  attempts: readonly Attempt[],
  mayTryAgain = true,
): Promise<Ended & { asked: readonly (readonly string[] | undefined)[] }> {
  const asked: (readonly string[] | undefined)[] = [];
  const attempt = async (files?: readonly string[]): Promise<Attempt> => {
    asked.push(files);
    const next = attempts[asked.length - 1];
    if (next === undefined) throw new Error('one try too many');
    return next;
  };
  return { ...(await withSecondTry({ attempt, mayTryAgain, root: '/repo' })), asked };
}
const counts = ({ result }: Ended) => [result?.numPassedTests, result?.numFailedTests, result?.numPendingTests];

test('a suite that passes runs once', async () => {
  const end = await ended([ran(suite(file('a', 'oos')))]);
  expect([end.exitCode, end.asked, end.neededSecondTry, counts(end)]).toEqual([0, [undefined], [], [2, 0, 1]]);
});

test('files that failed run once more as wholes; one that passes then is counted as passed, and named', async () => {
  const first = suite(file('a', 'oo'), file('b/c', 'ono'), file('d', ''));
  const end = await ended([ran(first), ran(suite(file('b/c', 'ooo'), file('d', 'o')))]);
  expect(end.asked).toEqual([undefined, ['/repo/b/c', '/repo/d']]);
  expect([end.exitCode, counts(end)]).toEqual([0, [6, 0, 0]]);
  expect(end.neededSecondTry).toEqual(['needed a second try: b/c > test 1', 'needed a second try: d > does not load']);
});

describe('the suite fails', () => {
  const flaky = suite(file('a', 'oo'), file('b', 'n'), file('c', 'n'));
  const four = suite(...['a', 'b', 'c', 'd'].map((name) => file(name, 'n')));
  test.each<[string, readonly Attempt[], readonly number[]]>([
    ['when a file fails both times', [ran(flaky), ran(suite(file('b', 'n'), file('c', 'o')))], [3, 1, 0]],
    ['when the second try lacks a file', [ran(flaky), ran(suite(file('b', 'o')))], [3, 1, 0]],
    [
      'when the second try passes and ends badly',
      [ran(flaky), ran(suite(file('b', 'o'), file('c', 'o')), { exitCode: 1 })],
      [4, 0, 0],
    ],
    ['when the second try dies', [ran(flaky), ran(undefined, { exitCode: 137 })], [2, 2, 0]],
    ['after one try, when more than three files failed', [ran(four)], [0, 4, 0]],
    ['after one try, when something failed outside of any test', [ran(flaky, { unhandled: true })], [2, 2, 0]],
    [
      'after one try, when it ends badly though nothing failed',
      [ran(suite(file('a', 'o')), { exitCode: 1 })],
      [1, 0, 0],
    ],
  ])('%s', async (_, attempts, counted) => {
    const end = await ended(attempts);
    expect(end.exitCode).not.toBe(0);
    expect(end.asked).toHaveLength(attempts.length);
    expect(counts(end)).toEqual(counted);
  });

  test('after one try, at a desk', async () => {
    const end = await ended([ran(flaky)], false);
    expect([end.exitCode, end.asked.length, end.neededSecondTry]).toEqual([1, 1, []]);
  });

  test('after one try, when there is no report', async () => {
    expect(await ended([ran(undefined, { exitCode: 137 })])).toMatchObject({ exitCode: 137, result: undefined });
  });
});

test('of two that failed only the one that passed then is named', async () => {
  const end = await ended([ran(suite(file('b', 'n'), file('c', 'n'))), ran(suite(file('b', 'o'), file('c', 'n')))]);
  expect([end.exitCode, end.neededSecondTry]).toEqual([1, ['needed a second try: b > test 0']]);
});
