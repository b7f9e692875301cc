import { expect, test } from 'vitest';
import { after, pods, revisionFor, routeTo, shifting } from './builders.ts';
import { plan } from './plan.ts';
import { unreadySince } from './unready.ts';
import type { World } from './world.ts';

const [V0, V1] = [revisionFor(0), revisionFor(1)];
const lost = (seconds: number, stable = 2, more: Partial<World> = {}): World => ({
  ...shifting,
  ...more,
  now: after(seconds),
  revisions: { [V0]: { ...pods(2), ready: stable }, [V1]: { ...pods(0), unreadySince: after(0) } },
});

test.each([
  ['is held for a moment, as one late probe is no proof', lost(0.5), 'hold-unready', 'CandidateUnavailable'],
  ['is held until three seconds have passed', lost(2.9), 'hold-unready', 'CandidateUnavailable'],
  ['is rolled back after three seconds', lost(3), 'roll-back', 'RollingBack'],
  ['is held while the stable version has none either', lost(30, 0), 'hold-unready', 'NoVersionReady'],
])('a candidate with traffic and no ready pod %s', (_what, world, rule, reason) => {
  const decided = plan(world);
  expect(decided.rule).toBe(rule);
  expect(decided.observed.find(({ type }) => type === 'RolloutComplete')?.reason).toBe(reason);
});

test('what is held names both versions', () => {
  const message = plan(lost(30, 0)).observed.find(({ type }) => type === 'RolloutComplete')?.message;
  expect(message).toMatch(/Neither.*1\.1\.0 nor.*1\.0\.0 has a ready pod/);
});

test('a hold for pods keeps the weights', () => {
  expect(plan(lost(1)).backends).toEqual([
    { revision: V0, weight: 9500 },
    { revision: V1, weight: 500 },
  ]);
});

test('a pod that died for good is rolled back at once, and so is one whose requests fail', () => {
  const trouble = { reason: 'ModelInvalid', message: 'it does not load', fatal: true };
  const dead = lost(0.5, 0);
  expect(plan({ ...dead, revisions: { ...dead.revisions, [V1]: { ...pods(0), trouble } } }).rule).toBe('roll-back');
});

test('a bake does not end while no pod of the candidate is ready', () => {
  const candidate = { ...(shifting.status.candidate as NonNullable<World['status']['candidate']>) };
  const status = { ...shifting.status, candidate: { ...candidate, phase: 'Baking' as const, weight: 100, step: 2 } };
  expect(plan(lost(1, 2, { status, route: routeTo({ 1: 10_000 }) })).rule).toBe('hold-unready');
});

test('time is counted from the first look without a ready pod, and anew while no version has one', () => {
  const up = { [V0]: pods(2), [V1]: pods(1) };
  const down = { [V0]: pods(2), [V1]: pods(0) };
  const both = { [V0]: pods(0), [V1]: pods(0) };
  const looks = [up, down, down, both, down, down, up].map((facts, second) => [facts, after(second)] as const);
  let since: ReadonlyMap<string, Date> = new Map();
  const seen = looks.map(([facts, now]) => {
    since = unreadySince(since, facts, now);
    return since.get(V1);
  });
  expect(seen).toEqual([undefined, after(1), after(1), after(3), after(3), after(3), undefined]);
});

test('a clock that was set back does not make a wait of hours', () => {
  const down = { [V0]: pods(2), [V1]: pods(0) };
  expect(unreadySince(new Map([[V1, after(3600)]]), down, after(0)).get(V1)).toEqual(after(0));
});
