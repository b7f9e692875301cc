import { describe, expect, test } from 'vitest';
import {
  after,
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
import { candidateOf, conditions, failing, fresh, passing, preparing, seen, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

type Rollout = World['spec']['rollout'];
const errors: Rollout['guards'] = [{ name: 'errors', errors: { max: '1%' } }];
const message = (world: World, type: string) => plan(world).observed.find((o) => o.type === type)?.message;

describe('the window', () => {
  const closed = { timeZone: 'UTC', hours: '14:00-18:00' };
  const open = { timeZone: 'UTC', hours: '10:00-18:00' };
  const wanted: World = { ...serving, target: targetOf(1), spec: specOf({ window: closed }) };
  const last: World = {
    ...shifting,
    ...seen(evidenceOf(1, requests(2000)), { ...evidenceOf(0, requests(0)), lifetime: requests(38_000) }),
    status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 2) },
    revisions: { [V0]: pods(2), [V1]: pods(2) },
    route: routeTo({ 1: 10_000 }),
  };

  test('keeps a rollout from beginning, and says when it opens', () => {
    const decided = plan(wanted);
    expect([decided.rule, candidateOf(decided), decided.replicas]).toEqual([
      'start-is-outside-window',
      undefined,
      { [V0]: 2 },
    ]);
    expect(conditions(decided)).toMatchObject({ Paused: 'True OutsideWindow', Ready: 'True Serving' });
    expect(message(wanted, 'Paused')).toContain('closed until 2030-01-01T14:00:00Z');
    expect(decided.next).toMatchObject({ kind: 'again', afterMs: 3_600_000 });
    expect(plan({ ...wanted, now: new Date('2030-01-01T13:59:30Z') }).next).toMatchObject({ afterMs: 30_000 });
  });

  test('is told of once', () => {
    expect(plan(wanted).events).toMatchObject([{ reason: 'OutsideWindow' }]);
    expect(plan(carryOut(wanted, plan(wanted))).events).toEqual([]);
  });

  test('lets it begin once it is open', () => {
    expect(plan({ ...wanted, spec: specOf({ window: open }) }).rule).toBe('start');
  });

  test('keeps a step with more from being entered, and a weight that is owed from being given', () => {
    const spec = specOf({ window: closed });
    const decided = plan({ ...shifting, ...passing, spec });
    expect([decided.rule, candidateOf(decided)?.weight, candidateOf(decided)?.step]).toEqual(['outside-window', 5, 0]);
    const owed: World = {
      ...shifting,
      ...passing,
      spec,
      status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 1) },
    };
    expect([plan(owed).rule, plan({ ...owed, spec: specOf() }).rule]).toEqual(['outside-window', 'shift']);
    expect(plan({ ...preparing, spec }).rule).toBe('outside-window');
    expect(
      plan({
        ...preparing,
        spec,
        asked: { promote: 'r-1' },
        revisions: { [V0]: pods(2), [V1]: pods(2) },
        ...seen(evidenceOf(1, requests(0))),
      }).rule,
    ).toBe('outside-window');
  });

  test('does not keep it from an approval step, the bake and its end: nobody is shown more', () => {
    const spec = specOf({ window: closed, steps: [{ weight: 5 }, { approval: true }, { weight: 100 }] });
    expect(plan({ ...shifting, ...passing, spec }).rule).toBe('advance');
    expect(plan({ ...last, spec: specOf({ window: closed }) }).rule).toBe('start-bake');
    const baked = {
      ...last,
      spec: specOf({ window: closed }),
      status: { ...last.status, candidate: candidateAt('Baking', 100, 2) },
    };
    expect(plan(baked).rule).toBe('promote');
  });

  test('never keeps a candidate from being taken back', () => {
    const spec = specOf({ window: closed });
    expect(plan({ ...shifting, ...failing, spec }).rule).toBe('roll-back');
    expect(plan({ ...shifting, spec, target: targetOf(0) }).rule).toBe('abort');
    expect(plan({ ...shifting, spec, target: targetOf(2) })).toMatchObject({
      rule: 'replace-candidate',
      status: { traffic: { desired: { candidate: 0 } } },
    });
    expect(candidateOf(plan({ ...shifting, spec, target: targetOf(2) }))).toBeUndefined();
  });

  test('in a zone that nobody knows stalls with the sentence that mends it, and nothing moves', () => {
    const spec = specOf({ window: { timeZone: 'Mars/Olympus' } });
    expect(plan({ ...wanted, spec }).rule).toBe('do-not-start');
    const live = { ...shifting, ...passing, spec };
    expect(plan(live)).toMatchObject({ rule: 'hold-for-spec', backends: [{ weight: 9500 }, { weight: 500 }] });
    expect(conditions(plan(live))).toMatchObject({ Stalled: 'True WindowInvalid', Ready: 'True Serving' });
    expect(message(live, 'Stalled')).toContain('write a name of the IANA data base');
    expect(plan({ ...live, ...failing }).rule).toBe('roll-back');
  });

  test('does not keep the first version from serving, and startAt does', () => {
    expect(plan({ ...fresh, spec: specOf({ window: closed }) }).rule).toBe('start');
    expect(plan({ ...fresh, spec: specOf({ startAt: '2030-01-01T13:00:00Z' }) }).rule).toBe('start-is-outside-window');
  });

  test('and startAt both have to be open', () => {
    const startAt = '2030-01-01T12:30:00Z';
    expect(plan({ ...wanted, spec: specOf({ startAt }) }).rule).toBe('start-is-outside-window');
    expect(plan({ ...wanted, spec: specOf({ startAt }), now: new Date(startAt) }).rule).toBe('start');
    expect(plan({ ...wanted, spec: specOf({ startAt, window: closed }), now: new Date(startAt) }).rule).toBe(
      'start-is-outside-window',
    );
  });

  test('kserve#5335, kserve#4074: a spec that will not work is told while nothing needs it yet', () => {
    const quiet = { ...serving, spec: specOf({ window: { timeZone: 'Mars/Olympus' } }) };
    expect(plan(quiet).rule).toBe('in-sync');
    expect(conditions(plan(quiet))).toMatchObject({
      Stalled: 'True WindowInvalid',
      RolloutComplete: 'True Complete',
      Reconciling: 'False Complete',
    });
  });
});

describe('what a guard says', () => {
  const silent = { ...shifting, ...seen(evidenceOf(1, requests(0), 1)) };
  const few = { ...shifting, ...seen(evidenceOf(1, requests(40))) };
  const both = { ...shifting, ...seen(evidenceOf(1, requests(1200, 800)), evidenceOf(0, requests(22_800, 15_200))) };
  const patient = (seconds: number) => ({ now: after(seconds) });

  test('argo-rollouts#3850: an inconclusive verdict never promotes, however long it lasts', () => {
    const day = { ...few, ...patient(86_400) };
    expect([plan(day).rule, candidateOf(plan(day))?.weight]).toEqual(['hold-inconclusive', 5]);
    const baking = {
      ...day,
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    };
    expect([plan(baking).rule, plan(baking).status.stable?.version]).toEqual(['hold-inconclusive', '1.0.0']);
  });

  test('that has not decided is not got round by a step that is edited to ask for more', () => {
    const edited = { ...few, spec: specOf({ steps: [{ weight: 50 }, { weight: 100 }] }) };
    expect([plan(edited).rule, candidateOf(plan(edited))?.weight]).toEqual(['hold-inconclusive', 5]);
    const cut = { ...few, spec: specOf({ steps: [{ weight: 100 }] }), revisions: { [V0]: pods(2), [V1]: pods(2) } };
    expect([plan(cut).rule, candidateOf(plan(cut))?.weight]).toEqual(['hold-inconclusive', 5]);
    const less = { ...few, spec: specOf({ steps: [{ weight: 1 }, { weight: 100 }] }) };
    expect([plan(less).rule, candidateOf(plan(less))?.weight]).toEqual(['show-less', 1]);
  });

  test('is acted on although the clock was set back since the step began', () => {
    const back = new Date(shifting.now.getTime() - 3_600_000);
    expect(plan({ ...shifting, ...passing, now: back }).rule).toBe('advance');
  });

  test('argo-rollouts#1905: no traffic holds by default, however long it lasts', () => {
    expect(plan({ ...silent, ...patient(86_400) }).rule).toBe('hold-blind');
  });

  test.each<[string, World, Partial<Rollout>, string, string]>([
    ['Blind', silent, { onBlind: 'RollBack' }, 'hold-blind', 'GuardBlind'],
    ['NeedMore', few, { onInconclusive: 'RollBack' }, 'hold-inconclusive', 'GuardInconclusive'],
  ])(
    '%s rolls back after the patience of the step where that is asked for, and not before',
    (_verdict, world, rollout, before, reason) => {
      const spec = specOf({ ...rollout, patience: '5m' });
      expect(plan({ ...world, spec, ...patient(269) }).rule).toBe(before);
      const late = plan({ ...world, spec, ...patient(271) });
      expect([late.rule, late.status.rejected?.at(-1)?.reason]).toEqual(['roll-back', reason]);
      expect(late.status.rejected?.at(-1)?.message).toMatch(/^After 5m guard errors/);
    },
  );

  test('patience for one is none for the other', () => {
    expect(plan({ ...few, spec: specOf({ onBlind: 'RollBack', patience: '5m' }), ...patient(900) }).rule).toBe(
      'hold-inconclusive',
    );
  });

  test('of both versions holds, and blames nobody', () => {
    const decided = plan(both);
    expect([decided.rule, decided.status.rejected]).toEqual(['hold-shared-fault', undefined]);
    expect(conditions(decided)).toMatchObject({ Reconciling: 'True SharedFault' });
    expect(
      plan({
        ...both,
        spec: specOf({ onBlind: 'RollBack', onInconclusive: 'RollBack', patience: '1s' }),
        ...patient(900),
      }).rule,
    ).toBe('hold-shared-fault');
  });

  test('Fail with onFail: Hold stays where it is until a person acts', () => {
    const held = { ...shifting, ...failing, spec: specOf({ onFail: 'Hold' }) };
    const decided = plan(held);
    expect([decided.rule, candidateOf(decided)?.weight]).toEqual(['hold-failed', 5]);
    expect(conditions(decided)).toMatchObject({
      Stalled: 'True GuardFailed',
      Paused: 'True GuardFailed',
      Ready: 'True Serving',
    });
    expect(decided.events).toMatchObject([{ reason: 'GuardFailed', action: 'Hold' }]);
    expect(plan(carryOut(held, decided)).events).toEqual([]);
    expect(plan({ ...held, asked: { abort: 'r-1' } }).rule).toBe('abort-by-person');
    expect(decided.next).toMatchObject({ kind: 'again' });
  });

  test.each<[string, Rollout['guards'], boolean | undefined]>([
    ['of that guard', [{ name: 'errors', observe: true, errors: { max: '1%' } }], undefined],
    ['of all guards', errors, true],
  ])('is only shown with observe: true %s', (_sentence, guards, observe) => {
    const spec = specOf({ guards, ...(observe === undefined ? {} : { observe }), onBlind: 'RollBack', patience: '1s' });
    const decided = plan({
      ...shifting,
      ...seen(evidenceOf(1, requests(1400, 600)), evidenceOf(0, requests(38_000))),
      spec,
    });
    expect(decided.rule).toBe('advance');
    expect(candidateOf(decided)?.guards).toMatchObject([{ verdict: 'Fail', observe: true }]);
  });

  test('can be that it never will: the candidate gets no more, what serves goes on, and the sentence mends it', () => {
    const guards: Rollout['guards'] = [{ name: 'answers', disagreement: { max: '1%', tolerance: '1e-3', k: 5 } }];
    const spec = specOf({ guards });
    expect(plan({ ...serving, target: targetOf(1), spec }).rule).toBe('do-not-start');
    const live = plan({ ...shifting, ...passing, spec });
    expect([live.rule, candidateOf(live)?.weight]).toEqual(['hold-for-spec', 5]);
    expect(conditions(live)).toMatchObject({ Stalled: 'True GuardInvalid', Ready: 'True Serving' });
    expect(message({ ...shifting, spec }, 'Stalled')).toMatch(/Guard answers compares answers in shadow steps/);
  });

  test('kserve#3085: a good candidate is promoted from one manifest, with no second apply', () => {
    let world: World = { ...serving, target: targetOf(1) };
    const rules: string[] = [];
    for (let pass = 0; pass < 9; pass += 1) {
      const decided = plan(world);
      rules.push(decided.rule);
      const share = decided.status.traffic?.desired.candidate ?? 0;
      world = {
        ...carryOut(world, decided),
        ...seen(evidenceOf(1, requests(share * 4)), {
          ...evidenceOf(0, requests((10_000 - share) * 4)),
          lifetime: requests(40_000),
        }),
      };
    }
    const steps = ['enter-first-step', 'advance', 'advance', 'shift', 'start-bake', 'promote'];
    expect(rules).toEqual(['start', ...steps, 'in-sync', 'in-sync']);
    expect(world.status.stable).toMatchObject(versionOf(1));
  });
});

describe('pods', () => {
  test('kserve#5983: no traffic before the Service of the candidate knows its pods, and stable is whole until the end', () => {
    const unknown = { ...preparing, revisions: { [V0]: pods(2), [V1]: pods(1, { endpoints: 0 }) } };
    const entered = plan(unknown);
    expect(entered).toMatchObject({ backends: [{ revision: V0, weight: 10_000 }], replicas: { [V0]: 2 } });
    const waiting = { ...carryOut(unknown, entered), revisions: unknown.revisions };
    expect(plan(waiting)).toMatchObject({ rule: 'await-capacity', backends: [{ weight: 10_000 }] });
    expect(plan({ ...waiting, revisions: { [V0]: pods(2), [V1]: pods(1, { endpoints: 1 }) } })).toMatchObject({
      rule: 'shift',
      backends: [{ weight: 9500 }, { weight: 500 }],
    });
  });

  test('flagger#1591, argo-rollouts#4128: that never come for a later step roll back at the deadline', () => {
    const stuck: World = {
      ...shifting,
      ...passing,
      spec: specOf({}, 4),
      status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 1) },
      revisions: {
        [V0]: pods(4),
        [V1]: pods(1, {
          replicas: 2,
          trouble: { reason: 'InsufficientAccelerator', message: '1 more nvidia.com/gpu is needed', fatal: false },
        }),
      },
    };
    expect(conditions(plan(stuck))).toMatchObject({ Reconciling: 'True InsufficientAccelerator' });
    expect(plan({ ...stuck, now: after(569) }).rule).toBe('await-capacity');
    const late = plan({ ...stuck, now: after(571) });
    expect([late.rule, late.status.rejected?.at(-1)?.reason]).toEqual(['roll-back', 'ProgressDeadlineExceeded']);
    expect(late.status.rejected?.at(-1)?.message).toContain('InsufficientAccelerator: 1 more nvidia.com/gpu');
  });

  test('serving-progressive-rollout#200: a candidate without an accelerator waits until the deadline, stable serving all', () => {
    const trouble = { reason: 'InsufficientAccelerator', message: '1 more nvidia.com/gpu is needed', fatal: false };
    const short: World = { ...preparing, revisions: { [V0]: pods(2), [V1]: pods(0, { trouble }) } };
    expect(conditions(plan(short))).toMatchObject({
      Reconciling: 'True InsufficientAccelerator',
      Ready: 'True Serving',
    });
    expect(plan({ ...short, now: after(600) })).toMatchObject({
      rule: 'roll-back',
      backends: [{ revision: V0, weight: 10_000 }],
    });
  });

  test('go with a weight that is lowered only when the gateway has lowered it', () => {
    const all: World = {
      ...shifting,
      spec: specOf({ steps: [{ weight: 25 }, { weight: 100 }] }),
      status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 0) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    };
    const lowered = plan(all);
    expect([lowered.rule, lowered.replicas]).toEqual(['show-less', { [V0]: 2, [V1]: 2 }]);
    expect(plan(carryOut(all, lowered)).replicas).toEqual({ [V0]: 2, [V1]: 1 });
  });

  test('lost in a step hold it, and bake ends with all of them only', () => {
    const baked: World = {
      ...shifting,
      ...passing,
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(1) },
      route: routeTo({ 1: 10_000 }),
    };
    expect(plan({ ...baked, now: after(6000) })).toMatchObject({ rule: 'await-capacity', replicas: { [V0]: 2 } });
    expect(plan({ ...baked, revisions: { [V0]: pods(2), [V1]: pods(2) } }).rule).toBe('promote');
  });

  test.each(['Preparing', 'Shadowing', 'Previewing', 'Shifting', 'Baking'] as const)(
    'flagger#1588, flagger#1268: that die in %s roll back in one pass',
    (phase) => {
      const weight = phase === 'Baking' ? 100 : phase === 'Shifting' ? 5 : 0;
      const died: World = {
        ...shifting,
        status: { ...shifting.status, candidate: candidateAt(phase, weight) },
        revisions: { [V0]: pods(2), [V1]: pods(0, { trouble: { reason: 'ModelInvalid', message: 'x', fatal: true } }) },
      };
      expect(plan(died)).toMatchObject({ rule: 'roll-back', backends: [{ revision: V0, weight: 10_000 }] });
    },
  );

  test('argo-rollouts#3926: stable loses none before the gateway has let go of it', () => {
    const world: World = {
      ...shifting,
      ...passing,
      status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 2) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
    };
    for (const route of [{ state: 'Pending' }, routeTo({ 0: 9500, 1: 500 })] as const) {
      expect(plan({ ...world, route })).toMatchObject({ rule: 'await-route', replicas: { [V0]: 2 }, remove: [] });
    }
  });

  test('argo-rollouts#3078, argo-rollouts#4973: of a version that was rolled back are not scaled with stable', () => {
    const gone: World = {
      ...serving,
      target: targetOf(1),
      spec: specOf({}, 9),
      status: {
        ...shifting.status,
        candidate: candidateAt('RolledBack', 0),
        rejected: [{ ...versionOf(1), reason: 'GuardFailed', message: 'x', at: '2030-01-01T11:00:00Z' }],
      },
      revisions: { [V0]: pods(2), [V1]: pods(1) },
    };
    expect(plan(gone)).toMatchObject({ replicas: { [V0]: 9 }, remove: [V1] });
  });

  test('kserve#1859, kserve#3686, kserve#347: Ready tells of pods that answer, and of nothing else', () => {
    const crash = { reason: 'CrashLoopBackOff', message: 'Pod p exited with code 1', fatal: true };
    expect(conditions(plan({ ...serving, revisions: { [V0]: pods(0, { trouble: crash }) } }))).toMatchObject({
      Ready: 'False CrashLoopBackOff',
    });
    expect(
      conditions(plan({ ...preparing, revisions: { [V0]: pods(2), [V1]: pods(0, { trouble: crash }) } })),
    ).toMatchObject({ Ready: 'True Serving' });
  });

  test('flagger#1934: the status counts pods that are there, not those asked for', () => {
    expect(plan({ ...serving, revisions: { [V0]: pods(0, { replicas: 2 }) } }).status).toMatchObject({
      replicas: 2,
      readyReplicas: 0,
    });
    expect(conditions(plan({ ...serving, revisions: { [V0]: pods(0, { replicas: 2 }) } }))).toMatchObject({
      Ready: 'False NoReadyPods',
    });
  });
});
