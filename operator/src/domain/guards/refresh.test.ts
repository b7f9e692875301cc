import { describe, expect, test } from 'vitest';
import type { GuardStatus } from '../rollout/world.ts';
import { refreshGuards } from './refresh.ts';

const old: GuardStatus = {
  name: 'errors',
  kind: 'errors',
  verdict: 'NeedMore',
  rate: '1%',
  low: '0.2%',
  high: '3%',
  limit: '1%',
  n: 1000,
  message: 'p95 is 40ms to 50ms',
};
const shown = (change: Partial<GuardStatus>, before: GuardStatus = old): GuardStatus | undefined =>
  refreshGuards([before], [{ ...before, rate: '1.01%', ...change }])[0];

describe('what is shown moves on', () => {
  test.each<[string, Partial<GuardStatus>]>([
    ['with the verdict', { verdict: 'Pass' }],
    ['with the limit', { limit: '2%' }],
    ['with a tenth more requests', { n: 1101 }],
    ['with a new step, which begins at zero', { n: 3 }],
    ['with what the message says', { message: 'share over 60ms' }],
    ['when it is observed', { observe: true }],
  ])('%s', (_when, change) => expect(shown(change)).toMatchObject({ rate: '1.01%', ...change }));

  test('with a plain number that changed by a tenth', () => {
    const plain: GuardStatus = { ...old, rate: '0.30', low: 'none', high: 'none', n: 100 };
    expect(shown({ rate: '0.34' }, plain)?.rate).toBe('0.34');
    expect(shown({ rate: '0.32' }, plain)?.rate).toBe('0.30');
  });
});

describe('what is shown stays, so that a look is not a write', () => {
  test.each<[string, Partial<GuardStatus>]>([
    ['with the very same', {}],
    ['with a few requests more', { n: 1040 }],
    ['with other numbers in the same message', { message: 'p95 is 50ms to 60ms', n: 1040 }],
  ])('%s', (_when, change) => expect(shown(change)).toBe(old));

  test('with another of two segments that are about as bad, until there is a tenth more', () => {
    const worst = { ...old, message: 'worst segment BR: 30%; delay: live 0.2, candidate 0.9' };
    const other = { message: 'worst segment 1.4/US: west: 31%; delay: live 0.2, candidate 0.9', n: 1040 };
    expect(shown(other, worst)).toBe(worst);
    expect(shown({ ...other, n: 1101 }, worst)).toMatchObject({ message: other.message, n: 1101 });
  });
});

test('the first verdict of a guard is shown, and one that is gone is not', () => {
  expect(refreshGuards(undefined, [old])).toEqual([old]);
  expect(refreshGuards([old], [])).toEqual([]);
});
