import type { InferenceServiceSpec } from '@slipway/crds';
import { mergeConditions } from '../../kube/conditions.ts';
import { noRequests, type Tally } from '../analysis/tally.ts';
import type { Plan } from './plan.ts';
import type { RevisionEvidence, RevisionFacts, Target, World } from './world.ts';

/** Worlds for tests: a service whose version 1.0.0 serves, and 1.1.0 is wanted. */
export const NOON = new Date('2030-01-01T12:00:00Z');
export const after = (seconds: number): Date => new Date(NOON.getTime() + seconds * 1000);

const digestOf = (revision: string): string => `sha256:${revision.slice(-1).repeat(64)}`;
export const revisionFor = (minor: number): string => `rev-${minor}`;
export const targetOf = (minor: number, state: Target['state'] = 'Ready'): Target => {
  const target = { name: 'flights', version: `1.${minor}.0`, state, message: `flights-1.${minor}.0 is ${state}.` };
  return state === 'Missing'
    ? target
    : { ...target, digest: digestOf(revisionFor(minor)), revision: revisionFor(minor) };
};
export const versionOf = (minor: number) => ({
  version: `1.${minor}.0`,
  digest: digestOf(revisionFor(minor)),
  revision: revisionFor(minor),
});

export const specOf = (rollout: Partial<InferenceServiceSpec['rollout']> = {}, min = 2): InferenceServiceSpec => ({
  model: { name: 'flights', version: '1.1.0' },
  predictor: { replicas: { min } },
  traffic: { provider: 'Gateway', pathPrefix: '/' },
  rollout: {
    steps: [{ weight: 5 }, { weight: 50 }, { weight: 100 }],
    bake: '0s',
    guards: [{ name: 'errors', errors: { max: '1%' } }],
    confidence: { fail: '0.999', pass: '0.95' },
    progressDeadline: '10m',
    surge: 'Auto',
    onFail: 'RollBack',
    onBlind: 'Hold',
    onInconclusive: 'Hold',
    patience: '30m',
    ...rollout,
  },
});

export const approvalOf = (step: number, rolloutID = 'r-1', minor = 1, by = 'ada') => ({
  rolloutID,
  step,
  digest: digestOf(revisionFor(minor)),
  by,
  at: '2030-01-01T11:59:45Z',
});

export const requests = (ok: number, serverError = 0): Tally => ({
  ...noRequests,
  ok,
  serverError,
  batchSeconds: ok + serverError,
  failedSquaredOverServed: serverError,
});
export const evidenceOf = (minor: number, step: Tally, answering = 2): RevisionEvidence => ({
  answering,
  digests: [digestOf(revisionFor(minor))],
  sinceRollout: step,
  sinceStep: step,
  lifetime: step,
  stepSeconds: 10,
});
export const pods = (ready: number, facts: Partial<RevisionFacts> = {}): RevisionFacts => ({
  replicas: Math.max(1, ready),
  ready,
  ...facts,
});
export const routeTo = (weights: Readonly<Record<number, number>>): World['route'] => ({
  state: 'Programmed',
  weights: Object.fromEntries(Object.entries(weights).map(([minor, w]) => [revisionFor(Number(minor)), w])),
});

/** Version 1.0.0 serves; nothing else was ever asked for. */
export const serving: World = {
  now: NOON,
  generation: 1,
  guardPeriodMs: 1000,
  podsAreAsked: true,
  spec: specOf(),
  status: { stable: versionOf(0) },
  asked: {},
  target: targetOf(0),
  revisions: { [revisionFor(0)]: pods(2) },
  route: routeTo({ 0: 10_000 }),
  evidence: {},
};

export const candidateAt = (
  phase: NonNullable<World['status']['candidate']>['phase'],
  weight: number,
  step = 0,
): NonNullable<World['status']['candidate']> => ({
  ...versionOf(1),
  phase,
  step,
  weight,
  startedAt: '2030-01-01T11:59:00Z',
  stepStartedAt: '2030-01-01T11:59:30Z',
});

/** The candidate 1.1.0 has 5 % of the requests and nothing speaks against it, nor for it. */
export const shifting: World = {
  ...serving,
  status: { rolloutID: 'r-1', stable: versionOf(0), candidate: candidateAt('Shifting', 5) },
  target: targetOf(1),
  revisions: { [revisionFor(0)]: pods(2), [revisionFor(1)]: pods(1) },
  route: routeTo({ 0: 9500, 1: 500 }),
  evidence: {
    [revisionFor(0)]: evidenceOf(0, requests(1900)),
    [revisionFor(1)]: evidenceOf(1, requests(100), 1),
  },
};

/** What the cluster is after a plan was carried out and everything it asked for came true. */
export function carryOut(world: World, { status, observed, replicas, remove, backends, routes }: Plan): World {
  const kept = Object.entries(world.revisions).filter(([revision]) => !remove.includes(revision));
  const made = Object.entries(replicas).map(([revision, count]) => {
    const before = world.revisions[revision];
    const ready = before?.trouble === undefined ? count : before.ready;
    return [revision, { ...before, replicas: count, ready }] as const;
  });
  const conditions = mergeConditions(world.status.conditions ?? [], observed, world.generation, world.now);
  return {
    ...world,
    status: { ...status, conditions, observedGeneration: world.generation },
    revisions: Object.fromEntries([...kept, ...made]),
    route:
      backends.length === 0
        ? { state: 'Absent' }
        : { state: 'Programmed', weights: Object.fromEntries(backends.map((b) => [b.revision, b.weight])), routes },
  };
}
