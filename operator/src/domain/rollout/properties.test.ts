import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noRequests } from '../analysis/tally.ts';
import {
  approvalOf,
  candidateAt,
  carryOut,
  evidenceOf,
  pods,
  requests,
  revisionFor,
  specOf,
  targetOf,
  versionOf,
} from './builders.ts';
import { liveCandidate } from './decision.ts';
import { type Plan, plan } from './plan.ts';
import { TOTAL_WEIGHT } from './weights.ts';
import type { RevisionEvidence, RevisionFacts, World } from './world.ts';

const MINORS = [0, 1, 2];
const START = Date.parse('2030-01-01T12:00:00Z');

const facts: fc.Arbitrary<RevisionFacts> = fc
  .record({
    ready: fc.integer({ min: 0, max: 4 }),
    fatal: fc.option(fc.boolean(), { nil: undefined, freq: 8 }),
  })
  .map(({ ready, fatal }) =>
    pods(ready, fatal === undefined ? {} : { trouble: { reason: 'ModelInvalid', message: 'it does not load', fatal } }),
  );
const tally = fc
  .record({ ok: fc.constantFrom(0, 10, 2000, 50_000), serverError: fc.constantFrom(0, 0, 1, 40) })
  .map(({ ok, serverError }) => requests(ok, serverError));
const evidence = (minor: number): fc.Arbitrary<RevisionEvidence> =>
  fc
    .record({ step: tally, answering: fc.integer({ min: 0, max: 4 }) })
    .map((e) => evidenceOf(minor, e.step, e.answering));
const byRevision = <T>(of: (minor: number) => fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.tuple(...MINORS.map(of)).map((all) => Object.fromEntries(all.map((value, i) => [revisionFor(i), value])));
const route: fc.Arbitrary<World['route']> = fc.oneof(
  fc.constant<World['route']>({ state: 'Pending' }),
  fc.constant<World['route']>({ state: 'Absent' }),
  fc.constant<World['route']>({ state: 'Refused', reason: 'GatewayNotFound', message: 'There is no Gateway.' }),
  fc.integer({ min: 0, max: 100 }).map((percent): World['route'] => ({
    state: 'Programmed',
    weights: { [revisionFor(0)]: TOTAL_WEIGHT - percent * 100, [revisionFor(1)]: percent * 100 },
  })),
);
const steps = fc.constantFrom<World['spec']['rollout']['steps']>(
  [{ weight: 100 }],
  [{ weight: 5 }, { weight: 50 }, { weight: 100 }],
  [{ approval: true }, { weight: 10, for: '1m' }, { approval: true }, { weight: 100 }],
);
const guards = fc.constantFrom<World['spec']['rollout']['guards']>(
  undefined,
  [{ name: 'errors', errors: { max: '1%' } }],
  [{ name: 'both', errors: { max: '5%', worseBy: '1%' } }],
);
const phase = fc.constantFrom('Preparing', 'Shifting', 'Baking', 'Complete', 'RollingBack', 'RolledBack' as const);
const candidate = fc
  .record({ phase, weight: fc.constantFrom(0, 5, 50, 100), step: fc.integer({ min: 0, max: 4 }) })
  .map((c) => candidateAt(c.phase as 'Preparing', c.weight, c.step));
const status = fc
  .record({
    stable: fc.option(fc.constant(versionOf(0)), { nil: undefined, freq: 8 }),
    candidate: fc.option(candidate, { nil: undefined, freq: 8 }),
    rejected: fc
      .subarray([1, 2])
      .map((all) =>
        all.map((minor) => ({ ...versionOf(minor), reason: 'GuardFailed', message: 'x', at: '2030-01-01T11:00:00Z' })),
      ),
  })
  .map((s): World['status'] => ({
    rolloutID: 'r-1',
    rejected: s.rejected.filter(({ revision }) => liveCandidate(s)?.revision !== revision),
    ...(s.stable === undefined ? {} : { stable: s.stable }),
    ...(s.candidate === undefined ? {} : { candidate: s.candidate }),
  }));
const target = fc
  .tuple(
    fc.constantFrom(0, 1, 1, 1, 2),
    fc.constantFrom('Ready', 'Ready', 'Ready', 'Pending', 'Refused', 'Missing' as const),
  )
  .map(([minor, state]) => targetOf(minor, state as 'Ready'));
const asked = fc.constantFrom<World['asked']>(
  {},
  {},
  { retry: revisionFor(1) },
  { pause: 'true' },
  { promote: 'r-1' },
  { abort: 'r-1' },
  { rollback: 'r-1' },
);

/** Any world at all, also such as no history leads to: the rules must be safe in each. */
const worlds: fc.Arbitrary<World> = fc.record({
  now: fc.integer({ min: 0, max: 2000 }).map((s) => new Date(START + s * 1000)),
  generation: fc.constant(1),
  guardPeriodMs: fc.constant(1000),
  podsAreAsked: fc.boolean(),
  spec: fc
    .tuple(steps, guards, fc.integer({ min: 1, max: 4 }))
    .map(([s, g, min]) => specOf({ steps: s, guards: g }, min)),
  status,
  asked,
  target,
  revisions: byRevision(() => facts),
  route,
  evidence: byRevision(evidence),
});

const weightOf = ({ backends }: Plan, revision: string): number =>
  backends.find((b) => b.revision === revision)?.weight ?? 0;
const live = (world: World) => liveCandidate(world.status);
const check = (property: (world: World, decided: Plan) => void, runs = 2000): void =>
  fc.assert(
    fc.property(worlds, (world) => {
      property(world, plan(world));
    }),
    { numRuns: runs },
  );

describe('in any world', { timeout: 60_000 }, () => {
  test('weights add up to 10000, or there is no route', () => {
    check((_, decided) => {
      const sum = decided.backends.reduce((total, { weight }) => total + weight, 0);
      expect([0, TOTAL_WEIGHT]).toContain(sum);
      expect(sum === 0).toBe(decided.status.stable === undefined);
    });
  });

  test('a candidate gets traffic in Shifting and Baking, and in no other phase', () => {
    check((_, decided) => {
      const { candidate: c, stable } = decided.status;
      if (c === undefined || c.revision === stable?.revision || ['Shifting', 'Baking'].includes(c.phase)) return;
      expect(weightOf(decided, c.revision)).toBe(0);
    });
  });

  test('a rejected revision gets no traffic', () => {
    check((_, decided) => {
      for (const { revision } of decided.status.rejected ?? []) {
        if (revision !== decided.status.stable?.revision) expect(weightOf(decided, revision)).toBe(0);
      }
    });
  });

  test('a candidate that fails a guard loses its traffic in this pass, from every phase', () => {
    fc.assert(
      fc.property(
        worlds,
        fc.constantFrom('Shifting', 'Baking' as const),
        fc.constantFrom(5, 50, 100),
        (world, at, weight) => {
          const failing: World = {
            ...world,
            spec: {
              ...world.spec,
              rollout: { ...world.spec.rollout, guards: [{ name: 'errors', errors: { max: '1%' } }] },
            },
            status: {
              ...world.status,
              stable: versionOf(0),
              candidate: candidateAt(at as 'Shifting', weight),
              rejected: [],
            },
            evidence: {
              [revisionFor(0)]: evidenceOf(0, requests(5000)),
              [revisionFor(1)]: evidenceOf(1, requests(500, 500)),
            },
          };
          const decided = plan(failing);
          expect(weightOf(decided, revisionFor(1))).toBe(0);
          expect(weightOf(decided, revisionFor(0))).toBe(TOTAL_WEIGHT);
          expect(decided.rule).toBe('roll-back');
        },
      ),
    );
  });

  test('a guard that is Blind or needs more never lets the weight rise, a step pass or a bake end', () => {
    check((world, decided) => {
      const before = live(world);
      const verdicts = decided.status.candidate?.guards?.map(({ verdict }) => verdict) ?? [];
      if (before === undefined || !verdicts.some((v) => v === 'Blind' || v === 'NeedMore')) return;
      if (decided.status.candidate?.revision !== before.revision) return;
      expect(decided.status.candidate.step).toBe(before.step);
      expect(decided.status.candidate.phase).not.toBe('Complete');
    }, 5000);
  });

  test('stable keeps its minimum of pods as long as it gets a request', () => {
    check((world, decided) => {
      const { stable } = decided.status;
      if (stable === undefined || weightOf(decided, stable.revision) === 0) return;
      expect(decided.replicas[stable.revision]).toBeGreaterThanOrEqual(world.spec.predictor.replicas.min);
    });
  });

  test('nothing that the route names, now or before, is removed', () => {
    check((world, decided) => {
      const routed = world.route.state === 'Programmed' ? Object.keys(world.route.weights) : [];
      for (const revision of decided.remove) {
        expect(routed).not.toContain(revision);
        expect(weightOf(decided, revision)).toBe(0);
      }
    });
  });

  test('nothing that the stored status still needs is removed: it may be all that the next operator knows', () => {
    check((world, decided) => {
      const { stable } = world.status;
      for (const needed of [stable?.revision, live(world)?.revision]) expect(decided.remove).not.toContain(needed);
    });
  });

  test('Reconciling and Stalled are never both True, and Ready is always told', () => {
    check((_, decided) => {
      const of = (type: string) => decided.observed.find((o) => o.type === type)?.status;
      expect(of('Reconciling') === 'True' && of('Stalled') === 'True').toBe(false);
      expect(of('Ready')).toBeDefined();
    });
  });

  test('a change of weight happens only where the candidate has the pods for it', () => {
    check((world, decided) => {
      const [before, now] = [live(world), decided.status.candidate];
      if (before === undefined || now === undefined || now.weight <= before.weight || now.phase !== 'Shifting') return;
      const wanted = Math.max(1, Math.ceil((world.spec.predictor.replicas.min * now.weight) / 100));
      expect(world.revisions[now.revision]?.ready ?? 0).toBeGreaterThanOrEqual(wanted);
    });
  });
});

describe('over time', { timeout: 60_000 }, () => {
  test('the same world gives the same plan', () => {
    check((world, decided) => expect(plan(world)).toEqual(decided), 300);
  });

  test('a world in which nothing moves any more settles', () => {
    fc.assert(
      fc.property(worlds, (start) => {
        let world = start;
        for (let pass = 0; pass < 40; pass += 1) world = carryOut(world, plan(world));
        const decided = plan(world);
        expect(carryOut(world, decided)).toEqual(world);
        expect(decided.events).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('a good candidate with traffic arrives, whatever the steps', () => {
    fc.assert(
      fc.property(steps, guards, (s, g) => {
        let world: World = {
          now: new Date(START),
          generation: 1,
          guardPeriodMs: 1000,
          podsAreAsked: true,
          spec: specOf({ steps: s, guards: g }),
          status: { stable: versionOf(0) },
          asked: {},
          target: targetOf(1),
          revisions: { [revisionFor(0)]: pods(2) },
          route: { state: 'Programmed', weights: { [revisionFor(0)]: TOTAL_WEIGHT } },
          evidence: {},
        };
        for (let pass = 0; pass < 60 && world.status.stable?.version !== '1.1.0'; pass += 1) {
          const decided = plan(world);
          const share = weightOf(decided, revisionFor(1)) / TOTAL_WEIGHT;
          world = {
            ...carryOut(world, decided),
            now: new Date(world.now.getTime() + 10_000),
            spec: {
              ...world.spec,
              approvals: [approvalOf(decided.status.candidate?.step ?? 0, decided.status.rolloutID)],
            },
            evidence: {
              [revisionFor(0)]: {
                ...evidenceOf(0, requests(Math.round(100_000 * (1 - share)))),
                lifetime: requests(1e6),
              },
              [revisionFor(1)]: evidenceOf(1, share === 0 ? noRequests : requests(Math.round(100_000 * share))),
            },
          };
        }
        expect(world.status.stable?.version).toBe('1.1.0');
        expect(world.status.history?.filter(({ reason }) => reason === 'RolledBack')).toEqual([]);
      }),
    );
  });

  test('a bad candidate never becomes stable, in any order of events', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(route, fc.integer({ min: 0, max: 4 }), fc.boolean()), { maxLength: 40 }),
        (events) => {
          let world: World = {
            now: new Date(START),
            generation: 1,
            guardPeriodMs: 1000,
            podsAreAsked: true,
            spec: specOf(),
            status: { stable: versionOf(0) },
            asked: {},
            target: targetOf(1),
            revisions: { [revisionFor(0)]: pods(2) },
            route: { state: 'Programmed', weights: { [revisionFor(0)]: TOTAL_WEIGHT } },
            evidence: {},
          };
          for (const [seen, answering, told] of events) {
            const next = carryOut(world, plan(world));
            world = {
              ...next,
              now: new Date(next.now.getTime() + 5000),
              route: told ? next.route : seen,
              evidence: { [revisionFor(1)]: evidenceOf(1, requests(700, 300), answering) },
            };
          }
          expect(world.status.stable?.version).toBe('1.0.0');
        },
      ),
    );
  });
});
