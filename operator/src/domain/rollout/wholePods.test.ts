import { describe, expect, test } from 'vitest';
import {
  candidateAt,
  carryOut,
  pods,
  revisionFor,
  routeTo,
  serving,
  shifting,
  specOf,
  targetOf,
  versionOf,
} from './builders.ts';
import { plan } from './plan.ts';
import { candidateOf, conditions, failing, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

type Rollout = World['spec']['rollout'];

const wanting = (steps: Rollout['steps'], total: number, rollout: Partial<Rollout> = {}): World => ({
  ...serving,
  target: targetOf(1),
  spec: specOf({ steps, guards: [], ...rollout }, total),
  revisions: { [V0]: pods(total) },
});
const inPlace = (steps: Rollout['steps'], total: number): World => wanting(steps, total, { surge: 'Never' });
const counted = (steps: Rollout['steps'], total: number): World => {
  const world = wanting(steps, total);
  return { ...world, spec: { ...world.spec, traffic: { ...world.spec.traffic, provider: 'Replicas' } } };
};
const stalled = (world: World) => {
  const decided = plan(world);
  return [conditions(decided)['Stalled'], decided.observed.find(({ type }) => type === 'Stalled')?.message];
};

/** Pods asked for and weight given in each pass until nothing moves; every pass comes true, ten seconds each. */
function course(start: World, passes = 30): { readonly asked: readonly string[]; readonly end: World } {
  const asked: string[] = [];
  let world = start;
  for (let i = 0; i < passes; i += 1) {
    const decided = plan(world);
    const of = (minor: number) => decided.replicas[revisionFor(minor)] ?? 0;
    const line = `${of(0)}+${of(1)} pods, ${(decided.status.traffic?.desired.candidate ?? 0) / 100}%`;
    if (asked.at(-1) !== line) asked.push(line);
    const next = carryOut(world, decided);
    const digests = Object.fromEntries(
      [0, 1].map((m) => [
        revisionFor(m),
        { ...emptyEvidence(m), answering: next.revisions[revisionFor(m)]?.ready ?? 0 },
      ]),
    );
    world = { ...next, now: new Date(next.now.getTime() + 10_000), evidence: digests };
  }
  return { asked, end: world };
}
const emptyEvidence = (minor: number): World['evidence'][string] => {
  const seen = shifting.evidence[revisionFor(1)];
  if (seen === undefined) throw new Error('no evidence to start from');
  const none = { ...seen.sinceStep, ok: 0, batchSeconds: 0 };
  return { ...seen, digests: [versionOf(minor).digest], sinceStep: none, sinceRollout: none, lifetime: none };
};

describe('surge: Never', () => {
  test('serving-progressive-rollout#203, LLMKube#192: swaps pods one by one, with never more than there are accelerators for', () => {
    const { asked, end } = course(inPlace([{ weight: 25 }, { weight: 75 }, { weight: 100 }], 4));
    expect(asked).toEqual([
      '3+1 pods, 0%',
      '3+1 pods, 25%',
      '2+2 pods, 25%',
      '1+3 pods, 25%',
      '1+3 pods, 75%',
      '1+3 pods, 100%',
      '0+4 pods, 0%',
    ]);
    expect(end.status.stable).toMatchObject(versionOf(1));
  });

  test('keeps one pod of the old version to the end of the bake, which a rollback lands on', () => {
    const { end } = course({
      ...inPlace([{ weight: 50 }, { weight: 100 }], 2),
      spec: specOf({ steps: [{ weight: 50 }, { weight: 100 }], guards: [], surge: 'Never', bake: '1h' }, 2),
    });
    expect([candidateOf(plan(end))?.phase, plan(end).replicas]).toEqual(['Baking', { [V0]: 1, [V1]: 1 }]);
    const aborted = plan({ ...end, asked: { abort: end.status.rolloutID ?? '' } });
    expect(aborted).toMatchObject({ backends: [{ revision: V0, weight: 10_000 }], replicas: { [V0]: 1, [V1]: 1 } });
    const back = course({ ...carryOut(end, aborted), asked: {} }, 6);
    expect([plan(back.end).rule, plan(back.end).replicas]).toEqual(['stay-rolled-back', { [V0]: 2 }]);
  });

  test('with a single pod means a gap, and says so before it begins', () => {
    const { asked, end } = course(inPlace([{ weight: 100 }], 1));
    expect(asked).toEqual(['0+1 pods, 0%', '0+1 pods, 100%', '0+1 pods, 0%']);
    expect(end.status.history?.[0]?.message).toMatch(
      /there is one pod, so that no request is answered until it is ready/,
    );
  });

  test('and no gateway: the single pod gives its place back at once, for a Service without a pod lets go of nobody', () => {
    const given = counted([{ weight: 100 }], 1);
    const leaving: World = {
      ...given,
      spec: { ...given.spec, rollout: { ...given.spec.rollout, surge: 'Never' } },
      status: { rolloutID: 'r-1', stable: versionOf(0), candidate: { ...candidateAt('RollingBack', 0), capacity: 1 } },
      revisions: { [V0]: { replicas: 0, ready: 0 }, [V1]: pods(1) },
      route: { state: 'Pending' },
    };
    expect(plan(leaving)).toMatchObject({ rule: 'rolling-back', replicas: { [V0]: 1, [V1]: 0 } });
    const traffic = { ...given.spec.traffic, provider: 'Gateway' as const };
    expect(plan({ ...leaving, spec: { ...leaving.spec, traffic } }).replicas).toEqual({ [V0]: 0, [V1]: 1 });
  });

  test('written in mid-rollout keeps the pods there are, and takes no more of the stable version with each look', () => {
    const steps = [{ weight: 25, for: '1h' }, { weight: 100 }];
    const begun: World = {
      ...shifting,
      spec: specOf({ steps, guards: [], surge: 'Never' }, 2),
      status: { ...shifting.status, candidate: candidateAt('Shifting', 25) },
      revisions: { [V0]: pods(8), [V1]: pods(2) },
      route: routeTo({ 0: 7500, 1: 2500 }),
    };
    const { asked, end } = course(begun, 8);
    expect([asked, plan(end).replicas]).toEqual([['7+3 pods, 25%'], { [V0]: 7, [V1]: 3 }]);
  });

  test('takes no pod for an approval that comes first', () => {
    const { end } = course(inPlace([{ approval: true }, { weight: 100 }], 2));
    expect([plan(end).rule, plan(end).replicas[V0]]).toEqual(['await-approval', 2]);
  });

  test.each<[string, Rollout['steps'], number, RegExp]>([
    [
      'a weight between pods',
      [{ weight: 10 }, { weight: 100 }],
      4,
      /step 1 asks for 10%, which 4 pods can't give: the nearest they can is 25%/,
    ],
    ['a weight between two', [{ weight: 40 }, { weight: 100 }], 4, /the nearest they can is 25% and 50%/],
    ['any weight but 100 of one pod', [{ weight: 50 }, { weight: 100 }], 1, /the nearest they can is 100%/],
    ['copies that leave no pod', [{ shadow: 100 }, { weight: 100 }], 4, /the nearest possible is 75%/],
    ['copies with one pod', [{ shadow: 10 }, { weight: 100 }], 1, /leave the step out/],
    ['a preview', [{ preview: true }, { weight: 100 }], 4, /surge: Auto/],
  ])('refuses %s with the nearest possible', (_sentence, steps, total, sentence) => {
    expect(stalled(inPlace(steps, total))).toEqual(['True WeightNotPossible', expect.stringMatching(sentence)]);
    expect(plan(inPlace(steps, total)).replicas).toEqual({ [V0]: total });
  });

  test.each([33, 67])('takes %i%% of three pods: half a point off is near enough', (weight) => {
    expect(plan(inPlace([{ weight }, { weight: 100 }], 3)).rule).toBe('start');
  });

  test('lets no autoscaler move what the weights are made of', () => {
    const world = carryOut(
      inPlace([{ weight: 50 }, { weight: 100 }], 2),
      plan(inPlace([{ weight: 50 }, { weight: 100 }], 2)),
    );
    expect(plan(world).exact).toEqual([V0, V1]);
    expect(plan(shifting).exact).toEqual([]);
  });
});

describe('provider: Replicas', () => {
  test('makes weights of numbers of pods beside those of stable, and switches at 100', () => {
    const { asked, end } = course(counted([{ weight: 20 }, { weight: 50 }, { weight: 100 }], 4));
    expect(asked).toEqual([
      '4+1 pods, 0%',
      '4+1 pods, 20%',
      '4+4 pods, 20%',
      '4+4 pods, 50%',
      '4+4 pods, 100%',
      '0+4 pods, 0%',
    ]);
    expect(end.status.stable).toMatchObject(versionOf(1));
  });

  test.each<[string, Rollout['steps'], number, RegExp]>([
    ['a weight too small', [{ weight: 1 }, { weight: 100 }], 4, /the nearest they can is 20%/],
    ['a weight between', [{ weight: 25 }, { weight: 100 }], 4, /the nearest they can is 20% and 33%/],
    ['a weight above half', [{ weight: 75 }, { weight: 100 }], 4, /the nearest they can is 50% and 100%/],
    ['a preview, which needs a route by header', [{ preview: true }, { weight: 100 }], 4, /provider: Gateway/],
  ])('refuses %s', (_sentence, steps, total, sentence) => {
    expect(stalled(counted(steps, total))).toEqual(['True WeightNotPossible', expect.stringMatching(sentence)]);
  });

  test('goes on although new pods change the weight before it is given, and comes down when it is lowered', () => {
    const at = (weight: number, ready: number): World => ({
      ...counted([{ weight: 20 }, { weight: 50 }, { weight: 100 }], 4),
      status: { ...shifting.status, candidate: { ...candidateAt('Shifting', weight, 1), capacity: 4 } },
      revisions: { [V0]: pods(4), [V1]: pods(ready) },
      route: { state: 'Programmed', weights: { [V0]: 5000, [V1]: 5000 }, pods: { [V0]: 4, [V1]: ready } },
    });
    expect(plan(at(20, 4)).rule).toBe('shift');
    const lower = at(50, 4);
    const steps = [{ weight: 20 }, { weight: 33 }, { weight: 100 }];
    const lowered = plan({ ...lower, spec: { ...lower.spec, rollout: { ...lower.spec.rollout, steps } } });
    expect([lowered.rule, lowered.replicas[V1]]).toEqual(['show-less', 2]);
  });

  test('is programmed at the share that whole pods give', () => {
    const live: World = {
      ...counted([{ weight: 33 }, { weight: 100 }], 2),
      status: { ...shifting.status, candidate: { ...candidateAt('Shifting', 33), capacity: 2 } },
      revisions: { [V0]: pods(2), [V1]: pods(1) },
    };
    const route = (stable: number, candidate: number): World['route'] => ({
      state: 'Programmed',
      weights: { [V0]: stable, [V1]: candidate },
      pods: { [V0]: 2, [V1]: 1 },
    });
    expect(plan({ ...live, route: route(6667, 3333) }).rule).not.toBe('await-route');
    expect(plan({ ...live, route: route(7500, 2500) }).rule).toBe('await-route');
  });

  test('counts with the pods that the rollout began with, whatever becomes of stable', () => {
    const live: World = {
      ...counted([{ weight: 20 }, { weight: 100 }], 2),
      status: { ...shifting.status, candidate: { ...candidateAt('Shifting', 20), capacity: 4 } },
      revisions: { [V0]: pods(7), [V1]: pods(1) },
      route: routeTo({ 0: 8000, 1: 2000 }),
    };
    expect(plan(live).replicas).toEqual({ [V0]: 4, [V1]: 4 });
    expect(
      plan({
        ...live,
        ...failing,
        spec: { ...live.spec, rollout: { ...live.spec.rollout, guards: [{ name: 'errors', errors: { max: '1%' } }] } },
      }).rule,
    ).toBe('roll-back');
  });
});
