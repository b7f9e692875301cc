import { PREVIEW_HEADER } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import {
  approvalOf,
  candidateAt,
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
import { type Plan, plan } from './plan.ts';
import { candidateOf, conditions, failing, passing, preparing, seen, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

type Rollout = World['spec']['rollout'];
type Traffic = World['spec']['traffic'];
const SHADOW: Rollout['steps'] = [{ shadow: 50, for: '1m' }, { weight: 100 }];
const BLUE_GREEN: Rollout['steps'] = [{ preview: true, for: '1m' }, { weight: 100 }];
const PREVIEW = { header: { [PREVIEW_HEADER.name]: PREVIEW_HEADER.value }, revision: V1 };

const withSteps = (
  world: World,
  steps: Rollout['steps'],
  rollout: Partial<Rollout> = {},
  traffic: Partial<Traffic> = {},
): World => {
  const spec = specOf({ steps, guards: [], ...rollout });
  return { ...world, spec: { ...spec, traffic: { ...spec.traffic, ...traffic } } };
};
const at = (phase: 'Shadowing' | 'Previewing', step = 0, shadow?: number): World => ({
  ...preparing,
  status: {
    ...preparing.status,
    candidate: { ...candidateAt(phase, 0, step), ...(shadow === undefined ? {} : { shadow }) },
  },
  revisions: { [V0]: pods(2), [V1]: pods(2) },
});
const weights = ({ backends }: Plan) => Object.fromEntries(backends.map((b) => [b.revision, b.weight]));
const later = (world: World, minutes: number): World => ({
  ...world,
  now: new Date(world.now.getTime() + minutes * 60_000),
});
const previewed: World = {
  ...at('Previewing'),
  route: { state: 'Programmed', weights: { [V0]: 10_000 }, routes: [PREVIEW] },
};

describe('a shadow step', () => {
  test('copies requests to a candidate that gets none of its own', () => {
    const decided = plan(withSteps(preparing, SHADOW));
    expect(candidateOf(decided)).toMatchObject({ phase: 'Shadowing', shadow: 50, weight: 0, step: 0 });
    expect([weights(decided), decided.routes]).toEqual([{ [V0]: 10_000 }, []]);
    expect(decided.events).toMatchObject([{ reason: 'ShadowStarted' }]);
  });

  test('has the pods for the copies', () => {
    const spec = specOf({ steps: SHADOW, guards: [] }, 8);
    const world = { ...preparing, spec, revisions: { [V0]: pods(8), [V1]: pods(1) } };
    expect(plan(world)).toMatchObject({ rule: 'await-pods', replicas: { [V1]: 4 } });
  });

  test('lasts as long as it says, and then leads on, where the copies end', () => {
    const world = withSteps(at('Shadowing', 0, 50), SHADOW);
    expect(plan(world).rule).toBe('hold-time');
    const decided = plan(later(world, 1));
    expect(decided.rule).toBe('advance');
    expect(candidateOf(decided)).toMatchObject({ phase: 'Shifting', weight: 100 });
    expect(candidateOf(decided)).not.toHaveProperty('shadow');
  });

  test('before one of more copies waits for the pods of that, copies going on', () => {
    const steps: Rollout['steps'] = [{ shadow: 10 }, { shadow: 100 }, { weight: 100 }];
    const world = { ...withSteps(at('Shadowing', 0, 10), steps), revisions: { [V0]: pods(2), [V1]: pods(1) } };
    const decided = plan(world);
    expect(candidateOf(decided)).toMatchObject({ phase: 'Shadowing', step: 1, shadow: 10 });
    expect(decided.replicas[V1]).toBe(2);
  });

  test('and an approval after it wait for a person, copies going on', () => {
    const steps: Rollout['steps'] = [{ shadow: 50 }, { approval: true }, { weight: 100 }];
    const waiting = { ...withSteps(at('Shadowing', 1, 50), steps), name: 'fares' };
    const decided = plan(waiting);
    expect(decided.events[0]?.message).toContain('kubectl slipway approve infs/fares');
    expect(decided.rule).toBe('await-approval');
    expect(candidateOf(decided)).toMatchObject({ phase: 'Shadowing', shadow: 50, awaitingApproval: true });
    expect(conditions(decided)).toMatchObject({ Paused: 'True AwaitingApproval' });
    const approved = plan({ ...waiting, spec: { ...waiting.spec, approvals: [approvalOf(1)] } });
    expect(candidateOf(approved)).toMatchObject({ phase: 'Shifting', weight: 100 });
    expect(approved.status.history?.at(-1)).toMatchObject({ by: 'ada', digest: versionOf(1).digest });
  });

  test('an approval of two people is given by two, of whom none counts twice', () => {
    const steps: Rollout['steps'] = [{ shadow: 50 }, { approval: true, people: 2 }, { weight: 100 }];
    const waiting = withSteps(at('Shadowing', 1, 50), steps);
    const after = (...approvals: ReturnType<typeof approvalOf>[]) =>
      plan({ ...waiting, spec: { ...waiting.spec, approvals } });
    const said = (decided: ReturnType<typeof plan>) => decided.observed.find(({ type }) => type === 'Paused')?.message;
    expect(said(after())).toContain('for 2 people: kubectl slipway approve');
    const ofOne = after(approvalOf(1));
    expect(ofOne.rule).toBe('await-approval');
    expect(said(ofOne)).toContain('for 2 people, of whom ada approved: kubectl slipway approve');
    const [again, other] = [{ ...approvalOf(1), comment: 'still' }, approvalOf(1, 'r-1', 2, 'grace')];
    expect(after(approvalOf(1), again, other).rule).toBe('await-approval');
    const ofTwo = after(approvalOf(1), approvalOf(1, 'r-1', 1, 'grace'));
    expect(candidateOf(ofTwo)).toMatchObject({ phase: 'Shifting', weight: 100 });
    expect(ofTwo.status.history?.at(-1)).toMatchObject({ by: 'ada and grace', digest: versionOf(1).digest });
  });

  test('with another digest approved waits on', () => {
    const steps: Rollout['steps'] = [{ shadow: 50 }, { approval: true }, { weight: 100 }];
    const waiting = withSteps(at('Shadowing', 1, 50), steps);
    const decided = plan({ ...waiting, spec: { ...waiting.spec, approvals: [approvalOf(1, 'r-1', 2)] } });
    expect(decided.rule).toBe('await-approval');
  });

  test('rolls back from there', () => {
    const died = { ...withSteps(at('Shadowing', 0, 50), SHADOW), target: targetOf(1, 'Refused') };
    const decided = plan(died);
    expect(candidateOf(decided)).toMatchObject({ phase: 'RollingBack' });
    expect(candidateOf(decided)).not.toHaveProperty('shadow');
  });
});

describe('blue/green', () => {
  test('previews all pods to those who ask by header', () => {
    const waiting = plan(withSteps(preparing, BLUE_GREEN));
    expect([waiting.rule, waiting.replicas[V1]]).toEqual(['await-pods', 2]);
    const decided = plan(
      withSteps(
        { ...preparing, revisions: { [V0]: pods(2), [V1]: pods(2) }, ...seen(evidenceOf(1, requests(0))) },
        BLUE_GREEN,
      ),
    );
    expect(candidateOf(decided)).toMatchObject({ phase: 'Previewing', weight: 0 });
    expect([weights(decided), decided.routes]).toEqual([{ [V0]: 10_000 }, [PREVIEW]]);
  });

  test('waits until the gateway has the header route', () => {
    expect(plan(withSteps(at('Previewing'), BLUE_GREEN)).rule).toBe('await-route');
    expect(plan(withSteps(previewed, BLUE_GREEN)).rule).toBe('hold-time');
  });

  test('switches in one step, without the header route', () => {
    const decided = plan(later(withSteps(previewed, BLUE_GREEN), 1));
    expect([weights(decided), decided.routes]).toEqual([{ [V1]: 10_000 }, []]);
    expect(decided.replicas).toEqual({ [V0]: 2, [V1]: 2 });
  });

  test('flagger#453: the old version stays whole and warm through the bake, and the way back is one write', () => {
    const baking: World = {
      ...withSteps(shifting, BLUE_GREEN, { bake: '1h', guards: [{ name: 'errors', errors: { max: '1%' } }] }),
      status: { ...shifting.status, candidate: candidateAt('Baking', 100, 1) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: routeTo({ 1: 10_000 }),
    };
    expect(plan({ ...baking, ...passing }).replicas).toEqual({ [V0]: 2, [V1]: 2 });
    const back = plan({ ...baking, ...failing });
    expect([back.rule, weights(back), back.replicas[V0]]).toEqual(['roll-back', { [V0]: 10_000 }, 2]);
  });

  test('argo-rollouts#3333: the old version keeps its pods until the gateway has switched, and the bake begins only then', () => {
    const switching: World = {
      ...withSteps(shifting, BLUE_GREEN),
      status: { ...shifting.status, candidate: candidateAt('Shifting', 100, 1) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
      route: { state: 'Pending' },
    };
    expect(plan(switching)).toMatchObject({ rule: 'await-route', replicas: { [V0]: 2, [V1]: 2 }, remove: [] });
  });
});

describe('requests that go by header', () => {
  const routes: Traffic['routes'] = [
    { header: { 'x-cohort': 'beta' }, to: 'Candidate' },
    { header: { 'x-tier': 'gold' }, to: 'Stable' },
  ];
  const BETA = { header: { 'x-cohort': 'beta' }, revision: V1 };
  const GOLD = { header: { 'x-tier': 'gold' }, revision: V0 };
  const canary: Rollout['steps'] = [{ weight: 5 }, { weight: 100 }];
  const routed: World['route'] = { ...routeTo({ 0: 9500, 1: 500 }), routes: [GOLD, BETA] } as World['route'];

  test.each<[string, World, object[]]>([
    ['none without a candidate', withSteps(serving, canary, {}, { routes }), []],
    [
      'to stable only while the candidate is not shown',
      withSteps({ ...preparing, evidence: {} }, canary, {}, { routes }),
      [GOLD],
    ],
    ['to both from the first weight on', withSteps(preparing, canary, {}, { routes }), [BETA, GOLD]],
    [
      'to both in the bake',
      withSteps(
        {
          ...shifting,
          status: { ...shifting.status, candidate: candidateAt('Baking', 100, 1) },
          revisions: { [V0]: pods(2), [V1]: pods(2) },
        },
        canary,
        { bake: '1h' },
        { routes },
      ),
      [BETA, GOLD],
    ],
    [
      'none from the rollback on',
      withSteps({ ...shifting, target: targetOf(1, 'Refused') }, canary, {}, { routes }),
      [],
    ],
    ['none once the spec is set back', withSteps({ ...shifting, target: targetOf(0) }, canary, {}, { routes }), []],
  ])('%s', (_sentence, world, want) => {
    expect(plan(world).routes).toEqual(want);
  });

  test('are compared whatever their order, and a missing one is not programmed', () => {
    expect(plan({ ...withSteps(shifting, canary, {}, { routes }), route: routed }).rule).not.toBe('await-route');
    expect(plan(withSteps(shifting, canary, {}, { routes })).rule).toBe('await-route');
  });

  test('kserve#2130: a rollback is not over while a header route to the candidate is left', () => {
    const leaving = {
      ...withSteps(shifting, canary, {}, { routes }),
      status: { ...shifting.status, candidate: candidateAt('RollingBack', 0) },
    };
    const left: World['route'] = { state: 'Programmed', weights: { [V0]: 10_000 }, routes: [BETA] };
    expect(plan({ ...leaving, route: left })).toMatchObject({ rule: 'rolling-back', remove: [] });
    expect(plan({ ...leaving, route: routeTo({ 0: 10_000 }) }).rule).toBe('rolled-back');
  });

  test('keep a revision that only a header route names', () => {
    const left: World['route'] = { state: 'Programmed', weights: { [V0]: 10_000 }, routes: [BETA] };
    expect(plan({ ...serving, revisions: { [V0]: pods(2), [V1]: pods(1) }, route: left }).remove).toEqual([]);
    expect(plan({ ...serving, revisions: { [V0]: pods(2), [V1]: pods(1) } }).remove).toEqual([V1]);
  });
});

describe('the observed split', () => {
  const steps: Rollout['steps'] = [{ weight: 10 }, { weight: 100 }];
  const counted = (stable: number, candidate: number, traffic: Partial<Traffic>): World => ({
    ...withSteps(shifting, steps, {}, traffic),
    ...seen(evidenceOf(1, requests(candidate)), evidenceOf(0, requests(stable))),
    status: { ...shifting.status, candidate: candidateAt('Shifting', 10, 0) },
    route: {
      ...routeTo({ 0: 9000, 1: 1000 }),
      routes:
        traffic.routes === undefined
          ? []
          : traffic.routes.map(({ header, to }) => ({ header, revision: to === 'Stable' ? V0 : V1 })),
    } as World['route'],
  });
  const toCandidate: Traffic['routes'] = [{ header: { 'x-cohort': 'beta' }, to: 'Candidate' }];
  const toStable: Traffic['routes'] = [{ header: { 'x-tier': 'gold' }, to: 'Stable' }];
  const sessionKey = { header: 'x-user-id' };

  test.each<[string, World, string]>([
    ['is that of the weight', counted(9000, 1000, {}), 'advance'],
    ['is not one of twice the weight', counted(8000, 2000, {}), 'await-split'],
    ['may be more where headers lead to the candidate', counted(6000, 4000, { routes: toCandidate }), 'advance'],
    ['but not less', counted(9900, 100, { routes: toCandidate }), 'await-split'],
    ['may be less where headers keep requests at stable', counted(9900, 100, { routes: toStable }), 'advance'],
    ['but not more', counted(6000, 4000, { routes: toStable }), 'await-split'],
    [
      'flagger#1647: follows no share of requests where users are split',
      counted(6000, 4000, { sessionKey }),
      'advance',
    ],
    ['but somebody must have come', counted(10_000, 0, { sessionKey }), 'await-split'],
  ])('%s', (_sentence, world, rule) => {
    expect(plan(world).rule).toBe(rule);
  });
});

describe('tests of a job guard', () => {
  const job = { image: 'i', timeout: '10m' } as const;
  const guards: Rollout['guards'] = [
    { name: 'smoke', job },
    { name: 'errors', errors: { max: '1%' } },
  ];
  const steps: Rollout['steps'] = [{ shadow: 50 }, { preview: true }, { weight: 5 }, { weight: 100 }];
  const of = (world: World) => plan(withSteps(world, steps, { guards })).tests;

  test('run while copies are compared', () => expect(of(at('Shadowing', 0, 50))).toEqual(['smoke']));
  test('run in the preview', () => expect(of({ ...previewed, status: at('Previewing', 1).status })).toEqual(['smoke']));
  test('wait for the gateway to give the weight', () => {
    const shown = { ...shifting, status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 2) } };
    expect(of(shown)).toEqual(['smoke']);
    expect(of({ ...shown, route: { state: 'Pending' } })).toEqual([]);
  });
  test('wait for the pods of the step', () => {
    const owed: World = {
      ...shifting,
      status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 3) },
      revisions: { [V0]: pods(2), [V1]: pods(1) },
    };
    expect([plan(withSteps(owed, steps, { guards })).rule, of(owed)]).toEqual(['await-capacity', []]);
  });
  test('that did not run for a step keep no pods from it that the step before has earned', () => {
    const owed: World = {
      ...shifting,
      status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 3) },
      revisions: { [V0]: pods(2), [V1]: pods(2) },
    };
    expect(plan(withSteps(owed, steps, { guards })).rule).toBe('shift');
  });
  test('do not run before anything is shown, nor after a rollback', () => {
    expect(of({ ...preparing, evidence: {} })).toEqual([]);
    expect(of({ ...shifting, target: targetOf(1, 'Refused') })).toEqual([]);
  });
  test('argo-rollouts#926: a pause asks for no other run', () => {
    const shown = { ...shifting, status: { ...shifting.status, candidate: candidateAt('Shifting', 5, 2) } };
    const paused = withSteps({ ...shown, asked: { pause: 'true' } }, steps, { guards });
    expect([plan(paused).rule, plan(paused).tests, candidateOf(plan(paused))?.step]).toEqual(['paused', ['smoke'], 2]);
  });
});
