import { describe, expect, test } from 'vitest';
import { candidateAt, carryOut, evidenceOf, pods, requests, routeTo, shifting, specOf, versionOf } from './builders.ts';
import { plan } from './plan.ts';
import { failing, passing, preparing, rolledBack, seen, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

/** The candidate has all traffic and nothing is left but to promote it. */
const baked: World = {
  ...shifting,
  ...passing,
  status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
  revisions: { [V0]: pods(2), [V1]: pods(2) },
  route: routeTo({ 1: 10_000 }),
};

describe('the version that served before', () => {
  test('goes only after the status says that it is not needed, or an operator that dies would roll back to nothing', () => {
    const promoted = plan(baked);
    expect([promoted.rule, promoted.remove]).toEqual(['promote', []]);
    expect(plan(carryOut(baked, promoted)).remove).toEqual([V0]);
  });

  test('goes after the rollback is told, likewise', () => {
    const leaving = { ...shifting, status: { stable: versionOf(0), candidate: candidateAt('RollingBack', 0) } };
    const world: World = { ...leaving, route: routeTo({ 0: 10_000 }) };
    const decided = plan(world);
    expect([decided.rule, decided.remove]).toEqual(['rolled-back', []]);
    expect(plan(carryOut(world, decided)).remove).toEqual([V1]);
  });
});

describe('pods that an autoscaler may not take', () => {
  const leaving: World = { ...shifting, status: { stable: versionOf(0), candidate: candidateAt('RollingBack', 0) } };

  test.each([
    ['are those of stable while a candidate is prepared', preparing, [V0]],
    ['argo-rollouts#1415: are those of stable while its traffic leaves', { ...shifting, ...passing }, [V0]],
    ['are those of stable while its traffic comes back', { ...shifting, ...failing }, [V0]],
    ['are those of stable until the candidate is out of the route', leaving, [V0]],
    ['are none once there is nothing to go back to', baked, []],
    ['are none after a rollback', rolledBack, []],
  ])('%s', (_, world, warm) => {
    expect(plan(world).warm).toEqual(warm);
  });
});

describe('a split', () => {
  const spec = specOf({ guards: undefined, steps: [{ weight: 100 }] });
  const shown = { ...shifting, spec, route: routeTo({ 1: 10_000 }), revisions: baked.revisions };
  const all: World = { ...shown, status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 0) } };
  const at = (now: string, stable: number, candidate: number): World => ({
    ...all,
    ...seen(evidenceOf(1, requests(candidate)), evidenceOf(0, requests(stable))),
    now: new Date(now),
  });

  test('is not confirmed by one request that the other version answered', () => {
    expect(plan(at('2030-01-01T11:59:31Z', 1, 0)).rule).toBe('await-split');
  });

  test('is not waited for forever after one straggler', () => {
    expect(plan(at('2030-01-01T11:59:41Z', 1, 0)).rule).toBe('start-bake');
  });

  test('is confirmed at once by requests that all went where they should', () => {
    expect(plan(at('2030-01-01T11:59:31Z', 0, 50)).rule).toBe('start-bake');
  });
});

test('a retry annotation that is too long for the status does not keep the status from being written', () => {
  const decided = plan({ ...rolledBack, asked: { retry: 'x'.repeat(200) } });
  expect(decided.status.lastHandledRetry).toHaveLength(63);
  const again = plan(carryOut({ ...rolledBack, asked: { retry: 'x'.repeat(200) } }, decided));
  expect(again.status.lastHandledRetry).toBe(decided.status.lastHandledRetry);
});
