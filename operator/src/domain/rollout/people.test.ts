import { describe, expect, test } from 'vitest';
import {
  candidateAt,
  carryOut,
  evidenceOf,
  pods,
  requests,
  revisionFor,
  routeTo,
  serving,
  shifting,
  specOf,
  targetOf,
  versionOf,
} from './builders.ts';
import { brokenLink } from './history.ts';
import { type Plan, plan } from './plan.ts';
import { candidateOf, conditions, failing, passing, preparing, rolledBack, seen, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

const weights = ({ backends }: Plan) => Object.fromEntries(backends.map((b) => [b.revision, b.weight]));
const approvals = specOf({
  steps: [{ weight: 5 }, { approval: true }, { weight: 50, for: '1h' }, { weight: 100 }],
  bake: '1h',
});

describe('pause', () => {
  const paused: World = { ...shifting, ...passing, asked: { pause: 'true' } };

  test('holds a rollout where it is, and says so', () => {
    const decided = plan(paused);
    expect([decided.rule, candidateOf(decided)?.weight, candidateOf(decided)?.step]).toEqual(['paused', 5, 0]);
    expect(conditions(decided)).toMatchObject({ Paused: 'True PausedByPerson', Reconciling: 'True PausedByPerson' });
  });

  test('is told once', () => {
    const decided = plan(paused);
    expect(decided.events).toMatchObject([{ reason: 'PausedByPerson', action: 'Hold' }]);
    expect(plan(carryOut(paused, decided)).events).toEqual([]);
  });

  test('flagger#1801: a breach while paused or waiting for approval still rolls back', () => {
    expect(plan({ ...paused, ...failing }).rule).toBe('roll-back');
    const waiting = {
      ...shifting,
      ...failing,
      spec: approvals,
      status: { ...shifting.status, candidate: { ...candidateAt('Shifting', 5, 1), awaitingApproval: true } },
    };
    expect(plan(waiting).rule).toBe('roll-back');
  });

  test('does not hold the way back that the spec asks for', () => {
    expect(plan({ ...paused, target: targetOf(0) }).rule).toBe('abort');
  });

  test('keeps a rollout from beginning', () => {
    const decided = plan({ ...serving, target: targetOf(1), asked: { pause: 'true' } });
    expect([decided.rule, candidateOf(decided)]).toEqual(['start-is-paused', undefined]);
    expect(decided.next).toMatchObject({ kind: 'again', afterMs: 60_000 });
  });

  test('ends with the annotation, or with another value', () => {
    expect(plan({ ...paused, asked: {} }).rule).toBe('advance');
    expect(plan({ ...paused, asked: { pause: 'false' } }).rule).toBe('advance');
  });
});

describe('promote', () => {
  const promoted: World = {
    ...shifting,
    ...passing,
    spec: approvals,
    asked: { promote: 'r-1' },
    revisions: { [V0]: pods(2), [V1]: pods(2) },
  };

  test('skips the steps and approvals left, and bakes as usual', () => {
    const decided = plan(promoted);
    expect([decided.rule, weights(decided)]).toEqual(['promote-by-person', { [V1]: 10_000 }]);
    const arrived = {
      ...promoted,
      status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 3) },
      route: routeTo({ 1: 10_000 }),
    };
    expect(candidateOf(plan(arrived))).toMatchObject({ phase: 'Baking' });
    expect(plan({ ...arrived, status: { ...shifting.status, candidate: candidateAt('Baking', 100, 3) } }).rule).toBe(
      'bake',
    );
  });

  test('waits for the pods of all traffic', () => {
    const decided = plan({ ...promoted, revisions: { [V0]: pods(2), [V1]: pods(1) } });
    expect(candidateOf(decided)).toMatchObject({ step: 3, weight: 5 });
    expect(decided.replicas[V1]).toBe(2);
  });

  test('of a candidate that is not ready yet makes it ready for all traffic', () => {
    const world = { ...preparing, spec: approvals, asked: { promote: 'r-1' } };
    expect(plan(world)).toMatchObject({ rule: 'await-pods', replicas: { [V1]: 2 } });
    expect(
      candidateOf(plan({ ...world, revisions: promoted.revisions, ...seen(evidenceOf(1, requests(0))) })),
    ).toMatchObject({ weight: 100, step: 3 });
  });

  test('does not wait for guards that have not decided: a person has', () => {
    expect(plan({ ...promoted, evidence: {} }).rule).toBe('promote-by-person');
    const baked = {
      ...promoted,
      evidence: {},
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 3) },
      route: routeTo({ 1: 10_000 }),
    };
    expect(plan({ ...baked, spec: specOf({ bake: '0s' }) }).rule).toBe('promote');
  });

  test('argo-rollouts#4461: a guard that fails and an abort outrank it', () => {
    expect(plan({ ...promoted, ...failing }).rule).toBe('roll-back');
    expect(plan({ ...promoted, asked: { promote: 'r-1', abort: 'r-1' } }).rule).toBe('abort-by-person');
    expect(plan({ ...promoted, asked: { promote: 'r-1', rollback: 'r-1' } }).rule).toBe('abort-by-person');
  });

  test('does not pass a guard that fails with onFail: Hold', () => {
    const held = { ...promoted, ...failing, spec: specOf({ onFail: 'Hold' }) };
    expect(plan(held).rule).toBe('hold-failed');
  });

  test('of another rollout counts for nothing', () => {
    expect(plan({ ...promoted, asked: { promote: 'r-0' } }).rule).toBe('advance');
  });
});

describe('abort', () => {
  test.each(['Preparing', 'Shadowing', 'Previewing', 'Shifting', 'Baking'] as const)(
    'takes the candidate back from %s, in one pass',
    (phase) => {
      const world: World = {
        ...shifting,
        ...passing,
        status: {
          ...shifting.status,
          candidate: candidateAt(phase, phase === 'Baking' ? 100 : phase === 'Shifting' ? 5 : 0),
        },
        asked: { abort: 'r-1' },
      };
      const decided = plan(world);
      expect([decided.rule, weights(decided)]).toEqual(['abort-by-person', { [V0]: 10_000 }]);
      expect(decided.status.rejected?.at(-1)).toMatchObject({ revision: V1, reason: 'AbortedByPerson' });
    },
  );

  test('flagger#1800: a rollback during the bake is one, and the old version has all its pods', () => {
    const baking: World = {
      ...shifting,
      ...passing,
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
      asked: { rollback: 'r-1' },
    };
    expect(plan(baking)).toMatchObject({ rule: 'abort-by-person', replicas: { [V0]: 2 } });
  });

  test('works while paused, outside the window and without evidence', () => {
    const spec = specOf({ window: { timeZone: 'UTC', hours: '01:00-02:00' } });
    expect(plan({ ...shifting, spec, evidence: {}, asked: { pause: 'true', abort: 'r-1' } }).rule).toBe(
      'abort-by-person',
    );
  });

  test('of a rollout that is over counts for nothing', () => {
    expect(plan({ ...rolledBack, asked: { abort: 'r-1', rollback: 'r-1' } }).rule).toBe('stay-rolled-back');
    expect(plan({ ...rolledBack, target: targetOf(0), asked: { rollback: 'r-1' } }).rule).toBe('in-sync');
  });
});

describe('rollback after the promotion', () => {
  const complete: World = {
    ...serving,
    status: {
      rolloutID: 'r-1',
      stable: { ...versionOf(1), rolloutID: 'r-1' },
      previous: versionOf(0),
      candidate: candidateAt('Complete', 100, 2),
    },
    target: targetOf(1),
    previous: targetOf(0),
    revisions: { [V1]: pods(2) },
    route: routeTo({ 1: 10_000 }),
  };
  const asked: World = { ...complete, asked: { rollback: 'r-1' } };

  /** Every pass comes true. */
  const runThrough = (world: World, passes = 8) => {
    const rules: string[] = [];
    let now = world;
    for (let i = 0; i < passes; i += 1) {
      const decided = plan(now);
      rules.push(decided.rule);
      now = carryOut(now, decided);
    }
    return { rules, world: now };
  };

  test('is remembered by the promotion', () => {
    const baked: World = {
      ...shifting,
      ...passing,
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    };
    expect(plan(baked).status).toMatchObject({ previous: versionOf(0), stable: { ...versionOf(1), rolloutID: 'r-1' } });
  });

  test('argo-rollouts#1978: brings the version before back at once, without steps, bake or guards, and rejects the one left', () => {
    const { rules, world } = runThrough(asked);
    expect(rules).toEqual(['go-back', 'give-back-all', 'arrive-back', ...Array(5).fill('refuse-rejected')]);
    expect(world.status.stable).toMatchObject(versionOf(0));
    expect(world.status.previous).toBeUndefined();
    expect(world.status.rejected).toMatchObject([{ revision: V1, reason: 'RolledBackByPerson' }]);
    expect(conditions(plan(world))).toMatchObject({ Ready: 'True Serving', Stalled: 'True RejectedVersion' });
    expect(brokenLink(world.status.history ?? [])).toBeUndefined();
    expect(world.status.history?.map(({ reason }) => reason)).toEqual([
      'RollbackStarted',
      'WeightChanged',
      'RolledBack',
    ]);
  });

  test('gives no traffic before its pods are ready, and keeps all pods of the version left until the gateway has switched', () => {
    const begun = carryOut(asked, plan(asked));
    const waiting = { ...begun, revisions: { [V1]: pods(2), [V0]: pods(1) } };
    expect(plan(waiting)).toMatchObject({ rule: 'make-back-ready', replicas: { [V0]: 2, [V1]: 2 } });
    expect(weights(plan(waiting))).toEqual({ [V1]: 10_000 });
    const given = carryOut(begun, plan(begun));
    const down: World = {
      ...given,
      route: { state: 'Refused', reason: 'GatewayNotFound', message: 'There is no Gateway.' },
    };
    expect(plan(down)).toMatchObject({ rule: 'await-way-back', remove: [], replicas: { [V0]: 2, [V1]: 2 } });
  });

  test('is open outside the window, while paused, and with a spec that can not be carried out', () => {
    const spec = specOf({ window: { timeZone: 'Mars/Olympus', hours: '01:00-02:00' } });
    expect(plan({ ...asked, spec, asked: { pause: 'true', rollback: 'r-1' } }).rule).toBe('go-back');
  });

  test('outranks a newer rollout that is under way', () => {
    const live: World = {
      ...asked,
      revisions: { [V1]: pods(2), [revisionFor(2)]: pods(1) },
      target: targetOf(2),
      status: { ...complete.status, rolloutID: 'r-2', candidate: { ...candidateAt('Shifting', 5), ...versionOf(2) } },
    };
    expect(plan(live)).toMatchObject({ rule: 'go-back', backends: [{ revision: V1, weight: 10_000 }] });
  });

  test('tries on past the deadline, and can be called off', () => {
    const begun = carryOut(asked, plan(asked));
    const id = begun.status.rolloutID ?? '';
    const stuck: World = {
      ...begun,
      revisions: { [V1]: pods(2), [V0]: pods(0) },
      now: new Date('2030-01-01T13:00:00Z'),
    };
    expect(plan(stuck).rule).toBe('make-back-ready');
    expect(conditions(plan(stuck))).toMatchObject({ Stalled: 'True CannotGoBack', Ready: 'True Serving' });
    const called = plan({ ...stuck, asked: { abort: id } });
    expect([called.rule, candidateOf(called), called.status.rejected]).toEqual(['call-back-off', undefined, undefined]);
  });

  test('that loses its pods on the way gives the traffic to the version that still has some', () => {
    const begun = carryOut(asked, plan(asked));
    const given = carryOut(begun, plan(begun));
    const lost = { ...given, revisions: { [V0]: pods(0), [V1]: pods(2) } };
    expect(plan(lost)).toMatchObject({ rule: 'make-back-ready', backends: [{ revision: V1, weight: 10_000 }] });
  });

  test('never gives traffic to pods that report another digest', () => {
    const begun = carryOut(asked, plan(asked));
    const wrong = { ...begun, evidence: { [V0]: { ...evidenceOf(0, requests(0)), digests: [versionOf(2).digest] } } };
    expect(plan(wrong)).toMatchObject({ rule: 'make-back-ready', backends: [{ revision: V1, weight: 10_000 }] });
  });

  test.each<[string, World, RegExp]>([
    [
      'without a version before',
      { ...asked, status: { ...asked.status, previous: undefined } },
      /There was no version before/,
    ],
    ['to a version that is gone', { ...asked, previous: targetOf(0, 'Missing') }, /can't serve now/],
    [
      'to a version that was rejected',
      {
        ...asked,
        status: {
          ...asked.status,
          rejected: [{ ...versionOf(0), reason: 'GuardFailed', message: 'x', at: '2030-01-01T11:00:00Z' }],
        },
      },
      /was rejected/,
    ],
    ['to what serves already', { ...asked, previous: targetOf(1) }, /would run just what serves now/],
  ])('%s leads nowhere, and says so while the stable version serves on', (_sentence, world, sentence) => {
    const decided = plan(world);
    expect(decided.rule).toBe('in-sync');
    expect(conditions(decided)).toMatchObject({
      Stalled: 'True NothingToRollBackTo',
      Ready: 'True Serving',
      RolloutComplete: 'True Complete',
    });
    expect(decided.observed.find(({ type }) => type === 'Stalled')?.message).toMatch(sentence);
  });

  test('is not asked for twice by one annotation', () => {
    const { world } = runThrough(asked);
    const retried = { ...world, asked: { rollback: 'r-1', retry: V1 } };
    expect(runThrough(retried, 3).rules[0]).toBe('start');
    expect(runThrough(retried, 3).rules).not.toContain('go-back');
  });
});

describe('a rejected version', () => {
  test('argo-cd#9570: applied again by a sync is a no-op with a reason', () => {
    const synced = { ...rolledBack, generation: 7 };
    const decided = plan(synced);
    expect([decided.rule, decided.events, candidateOf(decided)?.phase]).toEqual(['stay-rolled-back', [], 'RolledBack']);
    expect(decided.next).toEqual({ kind: 'settled' });
    const there = plan({ ...rolledBack, target: targetOf(0) });
    const andBack = plan({ ...carryOut({ ...rolledBack, target: targetOf(0) }, there), target: targetOf(1) });
    expect(andBack.rule).toBe('refuse-rejected');
  });

  test('of another digest is another question', () => {
    expect(plan({ ...rolledBack, target: targetOf(2) }).rule).toBe('start');
  });

  test('asked for in mid-rollout takes the candidate back and gets nothing', () => {
    const rejected = [{ ...versionOf(2), reason: 'GuardFailed', message: 'x', at: '2030-01-01T11:00:00Z' }];
    const world: World = { ...shifting, target: targetOf(2), status: { ...shifting.status, rejected } };
    const decided = plan(world);
    expect([decided.rule, candidateOf(decided), weights(decided)]).toEqual([
      'replace-candidate',
      undefined,
      { [V0]: 10_000 },
    ]);
    expect(plan(carryOut(world, decided)).rule).toBe('refuse-rejected');
  });
});

test('a rollout in the same second as the one before has another identity, so that no old wish fits it', () => {
  const first = plan({ ...serving, target: targetOf(1) });
  const id = first.status.rolloutID;
  const again: World = { ...serving, target: targetOf(1), status: { stable: versionOf(0), rolloutID: id } };
  expect(plan(again).status.rolloutID).not.toBe(id);
});
