import { describe, expect, test } from 'vitest';
import { Background } from './background.ts';
import { readTest } from './testReport.ts';

const complete = { kind: 'Complete', at: undefined } as const;
const failed = (reason: string) => ({ kind: 'Failed', at: undefined, reason, message: 'Job was ended' }) as const;
const plain = { image: 'x', timeout: '10m' };
const rates = { ...plain, max: '2%' };
const LINE = '{"bad": 3, "total": 400}';

describe('a test that ended', () => {
  test.each([
    ['well has passed', plain, complete, 0, 'fine', { kind: 'Ended', passed: true }],
    [
      'otherwise has failed, in its own last words',
      plain,
      failed('BackoffLimitExceeded'),
      3,
      'checking\nAssertionError: 4 != 5\n',
      { kind: 'Ended', passed: false, message: 'the test ended with exit code 3: AssertionError: 4 != 5' },
    ],
    [
      'too late has failed',
      plain,
      failed('DeadlineExceeded'),
      undefined,
      undefined,
      { kind: 'Ended', passed: false, message: 'the test took longer than 10m' },
    ],
    [
      'without a pod to tell is said as the Job says it',
      plain,
      failed('PodFailurePolicy'),
      undefined,
      undefined,
      { kind: 'Ended', passed: false, message: 'Job was ended' },
    ],
    [
      'with max is read by its last line',
      rates,
      complete,
      0,
      `asking\n${LINE}\n\n`,
      { kind: 'Rates', bad: 3, total: 400 },
    ],
    [
      'with max and an exit code has failed whatever it printed',
      rates,
      failed('BackoffLimitExceeded'),
      1,
      LINE,
      { kind: 'Ended', passed: false },
    ],
    [
      'without a last line says what to print',
      rates,
      complete,
      0,
      'all good',
      { kind: 'Invalid', message: expect.stringContaining('is "all good": print {"bad": n, "total": n}') },
    ],
    ['with more bad than all contradicts itself', rates, complete, 0, '{"bad": 5, "total": 4}', { kind: 'Invalid' }],
    [
      'with a number that is no count says what to print',
      rates,
      complete,
      0,
      '{"bad": 0, "total": 1e20}',
      { kind: 'Invalid' },
    ],
    ['whose log is gone tells nothing', rates, complete, 0, undefined, { kind: 'Unreachable' }],
  ])('%s', (_what, guard, job, exitCode, log, finding) => {
    expect(readTest(guard, { job, exitCode, log })).toMatchObject(finding);
  });
});

describe('what is found out beside the passes', () => {
  const SERVICE = { namespace: 'ml', name: 'flights' };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('argo-rollouts#926: is found out once, and kept although nobody could find it out again', async () => {
    let [runs, changes] = [0, 0];
    const background = new Background<number>(() => {
      changes += 1;
    });
    const find = async () => ++runs;
    expect(background.get(SERVICE, 'r/0', 'smoke', find)).toBeUndefined();
    expect(background.get(SERVICE, 'r/0', 'smoke', find)).toBeUndefined();
    await turn();
    expect(background.get(SERVICE, 'r/0', 'smoke')).toBe(1);
    expect([runs, changes]).toEqual([1, 1]);
    expect(background.get(SERVICE, 'r/1', 'smoke')).toBeUndefined();
  });

  test('is tried again where it failed, and given up with its service', async () => {
    const background = new Background<number>(() => undefined);
    background.get(SERVICE, 'r/0', 'smoke', async () => {
      throw new Error('no');
    });
    await turn();
    let aborted = false;
    background.get(SERVICE, 'r/0', 'smoke', (signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    });
    background.forget(SERVICE);
    expect(aborted).toBe(true);
  });
});
