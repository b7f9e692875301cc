import { describe, expect, test } from 'vitest';
import {
  candidateAt,
  carryOut,
  evidenceOf,
  pods,
  requests,
  routeTo,
  serving,
  shifting,
  specOf,
  targetOf,
  versionOf,
} from './builders.ts';
import { plan } from './plan.ts';
import { conditions, failing, fatal, fresh, passing, rolledBack, seen, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

describe('the first version', () => {
  const first: World = {
    ...fresh,
    status: { rolloutID: 'r-0', candidate: { ...candidateAt('Preparing', 0), ...versionOf(0) } },
  };

  test('becomes stable when its pods are ready, without steps', () => {
    const decided = plan({ ...first, revisions: { [V0]: pods(2) }, evidence: { [V0]: evidenceOf(0, requests(0)) } });
    expect(decided.rule).toBe('serve-first-version');
    expect(decided.events.map(({ message }) => message)).toEqual([
      'flights 1.0.0 is stable now, as the first version.',
    ]);
    expect(decided.status.stable).toEqual({ ...versionOf(0), rolloutID: 'r-0' });
    expect(decided.backends).toEqual([{ revision: V0, weight: 10_000 }]);
  });

  test('that can not serve leaves the service not Ready, naming the cause', () => {
    const decided = plan({ ...first, revisions: { [V0]: pods(0, { trouble: fatal }) } });
    expect(conditions(decided)).toEqual({
      Ready: 'False ModelInvalid',
      RolloutComplete: 'False ModelInvalid',
      Reconciling: 'False ModelInvalid',
      Stalled: 'True ModelInvalid',
      Paused: 'False NotPaused',
    });
  });

  test('whose pods can not be reached says what to open', () => {
    const unreached = plan({ ...first, revisions: { [V0]: pods(2) }, evidence: {} });
    const told = unreached.observed.find(({ type }) => type === 'Ready')?.message;
    expect(told).toMatch(/^0 of 2 pods .* Let the operator's namespace reach port 9090/);
    const half = plan({ ...first, revisions: { [V0]: pods(2) }, evidence: { [V0]: evidenceOf(0, requests(0), 1) } });
    expect(half.observed.find(({ type }) => type === 'Ready')?.message).toBe(
      '1 of 2 pods of flights 1.0.0 have told which digest they serve.',
    );
  });

  test('that is missing is named', () => {
    expect(conditions(plan({ ...fresh, target: targetOf(0, 'Missing') }))).toMatchObject({
      Ready: 'False ModelVersionMissing',
      Reconciling: 'True ModelVersionMissing',
    });
  });
});

describe('conditions', () => {
  test('tell two truths after a rollback: it answers, and it is stuck', () => {
    expect(conditions(plan(rolledBack))).toEqual({
      Ready: 'True Serving',
      RolloutComplete: 'False RolledBack',
      Reconciling: 'False RolledBack',
      Stalled: 'True RolledBack',
      Paused: 'False NotPaused',
    });
  });

  test('tell of a rejected revision asked for again', () => {
    const again = plan({ ...rolledBack, status: { stable: versionOf(0), rejected: rolledBack.status.rejected } });
    expect(conditions(again)).toMatchObject({ Ready: 'True Serving', Stalled: 'True RejectedVersion' });
  });

  test('name a gateway that refuses the route', () => {
    const route = { state: 'Refused', reason: 'GatewayNotFound', message: 'There is no Gateway x/y.' } as const;
    const decided = plan({ ...serving, route });
    expect(conditions(decided)).toMatchObject({
      Ready: 'False GatewayNotFound',
      Stalled: 'True GatewayNotFound',
      Reconciling: 'False Complete',
      RolloutComplete: 'True Complete',
    });
    const complete = decided.observed.find(({ type }) => type === 'RolloutComplete')?.message;
    expect(complete).toBe('The desired version is in place, and its route is refused: There is no Gateway x/y.');
  });

  test('keep Ready through the moment a gateway takes for new weights', () => {
    const known = carryOut(serving, plan(serving));
    expect(conditions(plan({ ...known, route: { state: 'Pending' } }))).toMatchObject({ Ready: 'True Serving' });
  });
});

describe('a decision', () => {
  test('is told with its numbers, as an Event and in the history', () => {
    const decided = plan({ ...shifting, ...failing });
    expect(decided.events).toHaveLength(1);
    expect(decided.events[0]).toMatchObject({ type: 'Warning', reason: 'RolledBack', action: 'RollBack' });
    expect(decided.events[0]?.message).toMatch(
      /flights 1\.1\.0 lost its traffic at 5%: Guard errors failed: 40% of 100 requests/,
    );
    expect(decided.status.history?.at(-1)).toMatchObject({ from: 'Shifting 5%', to: 'RollingBack' });
    expect(decided.status.rejected?.at(-1)).toMatchObject({ revision: V1, reason: 'GuardFailed' });
  });

  test('that only waits tells nothing', () => {
    expect(plan(shifting).events).toEqual([]);
    expect(plan(shifting).status.history).toBeUndefined();
  });

  test('to wait for a person is told once', () => {
    const waiting = { ...shifting, ...passing, spec: specOf({ steps: [{ approval: true }, { weight: 100 }] }) };
    const decided = plan(waiting);
    expect(decided.events.map(({ reason }) => reason)).toEqual(['AwaitingApproval']);
    expect(plan(carryOut(waiting, decided)).events).toEqual([]);
  });
});

describe('worse than stable', () => {
  const spec = specOf({ guards: [{ name: 'worse', errors: { worseBy: '2%' } }] });

  test('is not said of a candidate that fails as much as stable does', () => {
    const both = seen(evidenceOf(1, requests(1800, 200)), evidenceOf(0, requests(34_200, 3800)));
    expect(plan({ ...shifting, ...both, spec }).rule).not.toBe('roll-back');
  });

  test('is said of one that fails more', () => {
    const worse = seen(evidenceOf(1, requests(60, 40)), evidenceOf(0, requests(1900, 10)));
    expect(plan({ ...shifting, ...worse, spec }).rule).toBe('roll-back');
  });

  test('is judged at 100 % by what stable answered before', () => {
    const silent = { ...evidenceOf(0, requests(0)), lifetime: requests(50_000, 10) };
    const world: World = {
      ...shifting,
      ...seen(evidenceOf(1, requests(20_000)), silent),
      spec,
      status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    };
    expect(plan(world).rule).toBe('start-bake');
  });
});
