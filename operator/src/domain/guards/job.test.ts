import { expect, test } from 'vitest';
import type { ExternalFinding } from '../rollout/world.ts';
import { holdingGuard } from './acting.ts';
import { candidateOf, inOnes, judgedIn, type Scene, seen, served, verdictIn, worldOf } from './builders.ts';

const byExitCode = { name: 'smoke', job: { image: 'test', timeout: '10m' } };
const byRate = { name: 'smoke', job: { image: 'test', timeout: '10m', max: '2%' } };
const scene = (found: ExternalFinding | undefined, guard: Scene['guards'][number] = byExitCode): Scene => ({
  guards: [guard],
  candidate: seen(served(500)),
  stable: seen(served(500)),
  ...(found === undefined ? {} : { external: { smoke: found } }),
});
const counted = (bad: number, total: number): ExternalFinding => ({
  kind: 'Rates',
  bad,
  total,
  batches: inOnes(total, bad),
});

test.each<[string, ExternalFinding | undefined, string]>([
  ['that ended with 0 passes', { kind: 'Ended', passed: true, message: 'exit code 0' }, 'Pass'],
  [
    'that ended otherwise fails',
    { kind: 'Ended', passed: false, message: 'exit code 3: 4 of 9 answers differ' },
    'Fail',
  ],
  ['that is running is waited for', { kind: 'Running' }, 'NeedMore'],
  ['that has not begun is waited for', undefined, 'NeedMore'],
  ['that can not be started is no failure of the candidate', { kind: 'Invalid', message: 'no such image' }, 'Blind'],
  [
    'whose end can not be read is no failure of the candidate',
    { kind: 'Unreachable', message: 'its log is gone' },
    'Blind',
  ],
])('a test %s', (_sentence, found, verdict) => {
  const whole = scene(found);
  const guards = judgedIn(whole);
  expect(guards).toMatchObject([{ verdict }]);
  const holds = holdingGuard(worldOf(whole), candidateOf(whole), guards) !== undefined;
  expect(holds).toBe(verdict === 'NeedMore' || verdict === 'Blind');
});

test('a failed test says why in the status', () => {
  expect(verdictIn(scene({ kind: 'Ended', passed: false, message: 'exit code 3: 4 of 9 answers differ' }))).toEqual({
    name: 'smoke',
    kind: 'job',
    verdict: 'Fail',
    rate: 'failed',
    low: 'none',
    high: 'none',
    limit: 'exit code 0',
    n: 1,
    message: 'exit code 3: 4 of 9 answers differ',
  });
});

test.each<[string, ExternalFinding, string]>([
  ['within its limit passes', counted(2, 2000), 'Pass'],
  ['beyond it fails', counted(40, 400), 'Fail'],
  ['too small to tell holds', counted(0, 50), 'NeedMore'],
  ['of nothing holds', counted(0, 0), 'NeedMore'],
])('a rate that a test printed, %s', (_sentence, found, verdict) =>
  expect(verdictIn(scene(found, byRate)).verdict).toBe(verdict),
);

test('a test that asked too little is told how much it takes, as no more will come', () => {
  const { message, eta } = verdictIn(scene(counted(0, 50), byRate));
  expect(message).toMatch(/^the test ended after 50 questions, too few to tell: at this rate it takes about \d{3}$/);
  expect(eta).toBeUndefined();
});
