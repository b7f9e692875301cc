import { expect, test } from 'vitest';
import { findingsOf, gatesVerdict } from './verdict.ts';

const gate = (name: string, verdict: 'Pass' | 'Fail' | 'NeedMore') => ({
  name,
  verdict,
  value: '0.79',
  low: '0.77',
  high: '0.81',
  limit: '0.8',
  n: 500,
  message: '',
});

const cases: Record<string, { gates: ReturnType<typeof gate>[]; wanted: number; want: object }> = {
  'no gates declared: passed, and said so': { gates: [], wanted: 0, want: { status: 'True', reason: 'NoGates' } },
  'all pass': { gates: [gate('a', 'Pass')], wanted: 1, want: { status: 'True', reason: 'AllGatesPassed' } },
  'a failed gate is named with its numbers': {
    gates: [gate('a', 'Pass'), gate('accuracy', 'Fail')],
    wanted: 2,
    want: {
      status: 'False',
      reason: 'GateFailed',
      message: 'Gates not passed: accuracy Fail (0.79, 95 % interval 0.77 to 0.81 against 0.8, n=500).',
    },
  },
  'too few samples is neither pass nor fail': {
    gates: [gate('a', 'NeedMore')],
    wanted: 1,
    want: { status: 'False', reason: 'NeedMoreSamples' },
  },
  'a failure outweighs too few samples': {
    gates: [gate('a', 'NeedMore'), gate('b', 'Fail')],
    wanted: 2,
    want: { status: 'False', reason: 'GateFailed' },
  },
  'a gate that nobody judged has not passed': {
    gates: [gate('a', 'Pass')],
    wanted: 2,
    want: { status: 'False', reason: 'GatesMissing' },
  },
};
test.each(Object.entries(cases))('%s', (_name, { gates, wanted, want }) => {
  expect(gatesVerdict(gates, wanted)).toMatchObject(want);
});

test('a gate that says more than its numbers is told in its own words', () => {
  const failed = { ...gate('weekend', 'Fail'), message: 'accuracy where weekend == 1 is 0.79 and below 0.8' };
  expect(gatesVerdict([failed], 1).message).toBe(
    'Gates not passed: weekend Fail (accuracy where weekend == 1 is 0.79 and below 0.8).',
  );
});

test('a bound that nobody knows is none, and no number of 309 digits', () => {
  const unknown = {
    name: 'p99',
    verdict: 'NeedMore' as const,
    value: 4,
    low: 2,
    high: Number.MAX_VALUE,
    limit: 9,
    n: 50,
    message: '',
  };
  const report = {
    schema: 'slipway.dev/verification/v1' as const,
    digest: 'd',
    files: 1,
    bytes: 1,
    signature: { inputs: [], outputs: [] },
    gates: [unknown],
  };
  expect(findingsOf(report).gates?.[0]).toMatchObject({ low: '2', high: 'none' });
});

test('numbers of a report become decimal strings', () => {
  const report = {
    schema: 'slipway.dev/verification/v1' as const,
    digest: 'sha256:x',
    files: 3,
    bytes: 1000,
    signature: { inputs: [], outputs: [] },
    gates: [
      { name: 'a', verdict: 'Pass' as const, value: 0.8123456, low: 0.8, high: 0.82, limit: 0.75, n: 9, message: 'm' },
    ],
  };
  expect(findingsOf(report)).toEqual({
    files: 3,
    bytes: 1000,
    signature: { inputs: [], outputs: [] },
    gates: [
      { name: 'a', verdict: 'Pass', value: '0.812346', low: '0.8', high: '0.82', limit: '0.75', n: 9, message: 'm' },
    ],
  });
});
