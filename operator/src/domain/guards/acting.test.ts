import type { Guard, GuardKind, GuardVerdict } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import type { GuardStatus } from '../rollout/world.ts';
import { acting, failedGuard, holdingGuard } from './acting.ts';
import { candidateOf, type Scene, worldOf } from './builders.ts';

const GUARDS: { readonly [K in GuardKind]: Guard } = {
  errors: { name: 'g', errors: { max: '1%' } },
  latency: { name: 'g', latency: { threshold: '60ms', quantile: 95 } },
  disagreement: { name: 'g', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } },
  predictionShift: { name: 'g', predictionShift: { psi: '0.2' } },
  invalidOutputs: { name: 'g', invalidOutputs: { max: '1%' } },
  accuracy: { name: 'g', accuracy: { min: '90%' } },
  prometheus: { name: 'g', prometheus: { bad: 'b', total: 't', max: '1%', failures: 3, interval: '15s' } },
  job: { name: 'g', job: { image: 'i', timeout: '1m' } },
};
const statusOf = (verdict: GuardVerdict, more: Partial<GuardStatus> = {}): GuardStatus => ({
  name: 'g',
  verdict,
  rate: '0%',
  low: '0%',
  high: '1%',
  limit: '1%',
  n: 1,
  ...more,
});

type Phase = Scene['phase'] & string;
const ask = (guard: Guard, phase: Phase, statuses: readonly GuardStatus[]) => {
  const scene: Scene = { guards: [guard], phase };
  const [world, candidate] = [worldOf(scene), candidateOf(scene)];
  return {
    fails: failedGuard(world, candidate, statuses)?.name,
    holds: holdingGuard(world, candidate, statuses)?.name,
  };
};
const PHASES: readonly Phase[] = ['Shadowing', 'Previewing', 'Shifting', 'Baking'];
const where = (kind: GuardKind, verdict: GuardVerdict, what: 'fails' | 'holds'): readonly Phase[] =>
  PHASES.filter((phase) => ask(GUARDS[kind], phase, [statusOf(verdict)])[what] === 'g');

describe('phases in which a guard', () => {
  test.each<[GuardKind, { fail: readonly Phase[]; needMore: readonly Phase[]; blind: readonly Phase[] }]>([
    ['errors', { fail: PHASES, needMore: ['Shadowing', 'Shifting', 'Baking'], blind: PHASES }],
    ['latency', { fail: PHASES, needMore: ['Shadowing', 'Shifting', 'Baking'], blind: PHASES }],
    ['invalidOutputs', { fail: PHASES, needMore: ['Shadowing', 'Shifting', 'Baking'], blind: PHASES }],
    ['predictionShift', { fail: PHASES, needMore: ['Shadowing', 'Shifting', 'Baking'], blind: PHASES }],
    ['prometheus', { fail: PHASES, needMore: ['Shadowing', 'Shifting', 'Baking'], blind: PHASES }],
    ['job', { fail: PHASES, needMore: PHASES, blind: PHASES }],
    ['disagreement', { fail: ['Shadowing'], needMore: ['Shadowing'], blind: ['Shadowing'] }],
    ['accuracy', { fail: PHASES, needMore: ['Baking'], blind: ['Baking'] }],
  ])('of %s acts or holds', (kind, want) => {
    expect({
      fail: where(kind, 'Fail', 'fails'),
      needMore: where(kind, 'NeedMore', 'holds'),
      blind: where(kind, 'Blind', 'holds'),
    }).toEqual(want);
  });

  test('a fault that both versions share holds wherever the guard is judged', () => {
    for (const kind of ['errors', 'latency', 'invalidOutputs', 'accuracy'] as const) {
      expect(where(kind, 'SharedFault', 'holds')).toEqual(PHASES);
      expect(where(kind, 'SharedFault', 'fails')).toEqual([]);
    }
  });

  test('argo-rollouts#3850: no verdict but a Pass lets a guard on requests go on', () => {
    for (const verdict of ['SharedFault', 'Blind', 'NeedMore', 'Fail'] as const) {
      const { fails, holds } = ask(GUARDS.errors, 'Shifting', [statusOf(verdict)]);
      expect(fails ?? holds).toBe('g');
    }
    expect(ask(GUARDS.errors, 'Shifting', [statusOf('Pass')])).toEqual({ fails: undefined, holds: undefined });
  });

  test('a plain number is waited for in a preview as well: the query is asked whether or not anybody looks', () => {
    const value: Guard = { name: 'g', prometheus: { value: 'v', max: '1', failures: 3, interval: '15s' } };
    expect(ask(value, 'Previewing', [statusOf('NeedMore')]).holds).toBe('g');
  });
});

describe('an observed guard', () => {
  test.each<GuardVerdict>(['Fail', 'SharedFault', 'Blind', 'NeedMore'])(
    'that says %s neither fails nor holds',
    (verdict) => {
      const observed = statusOf(verdict, { observe: true });
      expect(acting([observed])).toEqual([]);
      for (const phase of PHASES) {
        expect(ask(GUARDS.errors, phase, [observed])).toEqual({ fails: undefined, holds: undefined });
      }
    },
  );
});

test('a guard that is no longer in the policy acts no more', () => {
  expect(ask({ ...GUARDS.errors, name: 'other' }, 'Shifting', [statusOf('Fail')]).fails).toBeUndefined();
});

test('of several that hold the gravest is named', () => {
  const guards = ['a', 'b', 'c'].map((name) => ({ ...GUARDS.errors, name }));
  const scene: Scene = { guards };
  const statuses = [
    statusOf('NeedMore', { name: 'a' }),
    statusOf('SharedFault', { name: 'b' }),
    statusOf('Blind', { name: 'c' }),
  ];
  const holding = (verdict?: GuardVerdict) => holdingGuard(worldOf(scene), candidateOf(scene), statuses, verdict)?.name;
  expect([holding(), holding('Blind'), holding('NeedMore'), holding('Pass')]).toEqual(['b', 'c', 'a', undefined]);
});
