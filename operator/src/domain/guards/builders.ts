import type { Guard, RolloutStep } from '@slipway/crds';
import { LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { type Batches, noRequests, type Tally } from '../analysis/tally.ts';
import type {
  CandidateStatus,
  ExternalFinding,
  GuardStatus,
  RevisionEvidence,
  ShadowTally,
  World,
} from '../rollout/world.ts';
import { judgeGuards } from './judgeGuards.ts';

/** Worlds for tests: 1.0.0 serves, 1.1.0 is on its way and began its step a minute ago. */
const NOON = new Date('2030-01-01T12:00:00Z');
const STABLE = { version: '1.0.0', digest: `sha256:${'0'.repeat(64)}`, revision: 'rev-0' };
const CANDIDATE = { version: '1.1.0', digest: `sha256:${'1'.repeat(64)}`, revision: 'rev-1' };
const STEP_SECONDS = 60;

export const tally = (counts: Partial<Tally> = {}): Tally => ({ ...noRequests, ...counts });

/** Requests of which so many failed, each in a second of its own: independent. */
export const served = (total: number, failed = 0): Tally => tally({ ok: total - failed, serverError: failed });

/** Served requests by milliseconds: `{40: 95, 60: 5}` is 95 answers in 40 ms. */
export function latencies(byMs: Readonly<Record<number, number>>): Tally {
  const latency = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
  for (const [ms, count] of Object.entries(byMs)) {
    const bin = LATENCY_BOUNDS_MS.findIndex((bound) => Number(ms) <= bound);
    const at = bin === -1 ? latency.length - 1 : bin;
    latency[at] = (latency[at] ?? 0) + count;
  }
  return tally({ ok: latency.reduce((a, b) => a + b, 0), latency });
}

export const labels = (right: number, wrong: number, more: Partial<Tally> = {}): Tally =>
  tally({ ok: 1000, right, wrong, ...more });

/** So many questions in batches of one, so that they count in full. */
export const inOnes = (total: number, hits: number): Batches => ({ count: total, squaredOverTotal: hits });

export function shadowed(compared: number, disagreed: number, more: Partial<ShadowTally> = {}): ShadowTally {
  const asked = compared + (more.failed ?? 0);
  return {
    compared,
    disagreed,
    skipped: 0,
    failed: 0,
    batches: inOnes(asked, disagreed + (more.failed ?? 0)),
    segments: {},
    examples: [],
    ...more,
  };
}

/** Evidence in which the step is all there is of the rollout, and the rollout all of the life, unless told otherwise. */
export const seen = (step: Tally, more: Partial<RevisionEvidence> = {}): RevisionEvidence => ({
  answering: 2,
  digests: [],
  sinceStep: step,
  sinceRollout: step,
  lifetime: step,
  stepSeconds: STEP_SECONDS,
  ...more,
});

export interface Scene {
  readonly guards: readonly Guard[];
  readonly steps?: readonly RolloutStep[];
  readonly phase?: CandidateStatus['phase'];
  readonly weight?: number;
  readonly candidate?: RevisionEvidence;
  readonly stable?: RevisionEvidence;
  readonly external?: Readonly<Record<string, ExternalFinding>>;
  readonly observe?: boolean;
  /** What the status shows already. */
  readonly shown?: readonly GuardStatus[];
  /** Ready pods of each version. */
  readonly ready?: number;
  readonly confidence?: { readonly fail: string; readonly pass: string };
}

const DEFAULT_STEPS: readonly RolloutStep[] = [{ shadow: 100 }, { weight: 10 }, { weight: 100 }];

export function candidateOf({ phase = 'Shifting', weight = 10, shown }: Scene): CandidateStatus {
  const since = new Date(NOON.getTime() - STEP_SECONDS * 1000).toISOString();
  const place = { phase, step: 0, weight, startedAt: since, stepStartedAt: since };
  return { ...CANDIDATE, ...place, ...(shown === undefined ? {} : { guards: [...shown] }) };
}

export function worldOf(scene: Scene): World {
  const { guards, steps = DEFAULT_STEPS, candidate, stable, external, observe, ready = 2, confidence } = scene;
  return {
    now: NOON,
    generation: 1,
    guardPeriodMs: 1000,
    podsAreAsked: true,
    spec: {
      model: { name: 'flights', version: '1.1.0' },
      predictor: { replicas: { min: 2 } },
      traffic: { provider: 'Gateway', pathPrefix: '/' },
      rollout: {
        steps: [...steps],
        bake: '1h',
        surge: 'Auto',
        guards: [...guards],
        onFail: 'RollBack',
        onBlind: 'Hold',
        onInconclusive: 'Hold',
        patience: '30m',
        confidence: confidence ?? { fail: '0.999', pass: '0.95' },
        progressDeadline: '10m',
        ...(observe === undefined ? {} : { observe }),
      },
    },
    status: { rolloutID: 'r-1', stable: STABLE, candidate: candidateOf(scene) },
    asked: {},
    target: { name: 'flights', version: '1.1.0', state: 'Ready', message: '', revision: CANDIDATE.revision },
    revisions: {
      [STABLE.revision]: { replicas: ready, ready },
      [CANDIDATE.revision]: { replicas: ready, ready },
    },
    route: { state: 'Programmed', weights: {} },
    evidence: {
      ...(stable === undefined ? {} : { [STABLE.revision]: stable }),
      ...(candidate === undefined ? {} : { [CANDIDATE.revision]: candidate }),
    },
    ...(external === undefined ? {} : { external }),
  };
}

export const judgedIn = (scene: Scene): readonly GuardStatus[] => judgeGuards(worldOf(scene), candidateOf(scene));

/** What the only guard of a scene says. */
export function verdictIn(scene: Scene): GuardStatus {
  const [status] = judgedIn(scene);
  if (status === undefined) throw new Error('no guard was judged');
  return status;
}
