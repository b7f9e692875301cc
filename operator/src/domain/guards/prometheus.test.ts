import { describe, expect, test } from 'vitest';
import type { ExternalFinding } from '../rollout/world.ts';
import { failedGuard, holdingGuard } from './acting.ts';
import { candidateOf, inOnes, type Scene, seen, served, verdictIn, worldOf } from './builders.ts';
import { judgeGuards } from './judgeGuards.ts';

const rates = { name: 'revenue', prometheus: { bad: 'a', total: 'b', max: '3%', failures: 3, interval: '15s' } };
const value = { name: 'revenue', prometheus: { value: 'a', max: '0.35', failures: 3, interval: '15s' } };
const scene = (
  found: ExternalFinding | undefined,
  guard: Scene['guards'][number] = rates,
  more: Partial<Scene> = {},
): Scene => ({
  guards: [guard],
  candidate: seen(served(500)),
  stable: seen(served(500)),
  ...(found === undefined ? {} : { external: { revenue: found } }),
  ...more,
});
const counted = (bad: number, total: number): ExternalFinding => ({
  kind: 'Rates',
  bad,
  total,
  batches: inOnes(total, bad),
});
const number = (of: number, badInARow: number, goodInARow: number): ExternalFinding => ({
  kind: 'Value',
  value: of,
  badInARow,
  goodInARow,
});

describe('bad of total from Prometheus', () => {
  test.each<[string, ExternalFinding | undefined, string]>([
    ['within the limit passes', counted(4, 1000), 'Pass'],
    ['beyond it fails', counted(60, 400), 'Fail'],
    ['few events are no verdict', counted(1, 20), 'NeedMore'],
    ['more bad than total, as extrapolation may say, is all of it', counted(50.4, 50), 'Fail'],
    ['a little below nothing is nothing', counted(-0.01, 1000), 'Pass'],
  ])('%s', (_sentence, found, verdict) => expect(verdictIn(scene(found)).verdict).toBe(verdict));

  test.each<[string, ExternalFinding | undefined, RegExp]>([
    ['flagger#1035, flagger#1689, flagger#1633, flagger#883: no events are no failure', counted(0, 0), /total is 0/],
    [
      'argo-rollouts#1905, argo-rollouts#2866: a Prometheus that is down is no failure',
      { kind: 'Unreachable', message: 'connect ECONNREFUSED 10.0.0.9:9090' },
      /ECONNREFUSED/,
    ],
    [
      'a query that does not parse is no failure of the candidate',
      { kind: 'Invalid', message: 'parse error at char 3' },
      /char 3/,
    ],
    ['a query nobody has answered yet is no failure', undefined, /not been answered/],
  ])('%s: it is blind, holds, and says why', (_sentence, found, why) => {
    const whole = scene(found);
    const [world, candidate] = [worldOf(whole), candidateOf(whole)];
    const guards = judgeGuards(world, candidate);
    expect(guards).toMatchObject([{ verdict: 'Blind', message: expect.stringMatching(why) }]);
    expect(failedGuard(world, candidate, guards)).toBeUndefined();
    expect(holdingGuard(world, candidate, guards)?.name).toBe('revenue');
  });

  test('in a preview nobody asked for, no events hold nothing up', () => {
    const whole = scene(counted(0, 0), rates, { phase: 'Previewing', weight: 0 });
    const guards = judgeGuards(worldOf(whole), candidateOf(whole));
    expect(guards).toMatchObject([{ verdict: 'NeedMore' }]);
    expect(holdingGuard(worldOf(whole), candidateOf(whole), guards)).toBeUndefined();
  });

  test('argo-rollouts#926: the counts of a step are judged by that step’s part of the risk, however often', () => {
    const whole = scene(counted(60, 400));
    const looks = Array.from({ length: 50 }, () => verdictIn(whole));
    expect(new Set(looks.map((look) => JSON.stringify(look))).size).toBe(1);
  });
});

describe('a plain number from Prometheus', () => {
  test.each<[string, ExternalFinding, string]>([
    ['beyond the limit once is no verdict', number(0.5, 1, 0), 'NeedMore'],
    ['beyond it three times in a row fails', number(0.5, 3, 0), 'Fail'],
    ['within it twice is no verdict', number(0.2, 0, 2), 'NeedMore'],
    ['within it three times in a row passes', number(0.2, 0, 3), 'Pass'],
  ])('%s', (_sentence, found, verdict) => expect(verdictIn(scene(found, value)).verdict).toBe(verdict));

  test('is shown as it is, without an interval it does not have', () => {
    expect(verdictIn(scene(number(0.512345678, 1, 0), value))).toEqual({
      name: 'revenue',
      kind: 'prometheus',
      verdict: 'NeedMore',
      rate: '0.512346',
      low: 'none',
      high: 'none',
      limit: '0.35',
      n: 1,
      eta: '30s',
      message: '1 look beyond the limit',
    });
  });

  test.each([
    [{ min: '0.1' }, 'at least 0.1'],
    [{ min: '0.1', max: '0.35' }, '0.1 to 0.35'],
    [{ max: '0.35' }, '0.35'],
  ])('with limits %o reads %s', (limits, text) => {
    const guard = { name: 'revenue', prometheus: { value: 'a', failures: 3, interval: '15s', ...limits } };
    expect(verdictIn(scene(number(0.2, 0, 3), guard)).limit).toBe(text);
  });

  test('spends none of the risk: the other guards keep theirs', () => {
    const errors = { name: 'errors', errors: { max: '1%' } };
    const alone = verdictIn({ ...scene(undefined), guards: [errors], candidate: seen(served(200, 8)) });
    const beside = verdictIn({ ...scene(undefined), guards: [errors, value], candidate: seen(served(200, 8)) });
    const shared = verdictIn({ ...scene(undefined), guards: [errors, rates], candidate: seen(served(200, 8)) });
    expect(beside.low).toBe(alone.low);
    expect(shared.low).not.toBe(alone.low);
  });
});
