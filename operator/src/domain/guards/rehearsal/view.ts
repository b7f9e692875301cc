import type { InferenceServiceSpec } from '@slipway/crds';
import type { CandidateStatus, GuardStatus, World } from '../../rollout/world.ts';
import { failedGuard, holdingGuard } from '../acting.ts';
import { judgeGuards } from '../judgeGuards.ts';
import type { Passing } from './passing.ts';

const STABLE = { version: '1.0.0', digest: `sha256:${'0'.repeat(64)}`, revision: 'stable' };
const CANDIDATE = { version: '1.1.0', digest: `sha256:${'1'.repeat(64)}`, revision: 'candidate' };
const START_MS = Date.UTC(2030, 0, 1);
const PODS = { replicas: 1, ready: 1 };

/** Where a rehearsed rollout stands. */
export interface Place {
  readonly phase: CandidateStatus['phase'];
  readonly step: number;
  readonly weight: number;
  /** Seconds of the rollout before this step. */
  readonly before: number;
}

/** What a look says. */
export interface View {
  readonly failed: GuardStatus | undefined;
  readonly holding: GuardStatus | undefined;
}

function worldAt(
  rollout: InferenceServiceSpec['rollout'],
  { phase, step, weight, before }: Place,
  passing: Passing,
  seconds: number,
): [World, CandidateStatus] {
  const at = (second: number): string => new Date(START_MS + second * 1000).toISOString();
  const candidate = { ...CANDIDATE, phase, step, weight, startedAt: at(0), stepStartedAt: at(before) };
  const seen = passing.evidence(seconds);
  const world: World = {
    now: new Date(START_MS + (before + seconds) * 1000),
    generation: 1,
    guardPeriodMs: 1000,
    podsAreAsked: true,
    spec: {
      model: { name: 'rehearsed', version: CANDIDATE.version },
      predictor: { replicas: { min: 1 } },
      traffic: { provider: 'Gateway', pathPrefix: '/' },
      rollout,
    },
    status: { rolloutID: 'rehearsal', stable: STABLE, candidate },
    asked: {},
    target: { name: 'rehearsed', version: CANDIDATE.version, state: 'Ready', message: '' },
    revisions: { [STABLE.revision]: PODS, [CANDIDATE.revision]: PODS },
    route: { state: 'Programmed', weights: {} },
    evidence: { [STABLE.revision]: seen.stable, [CANDIDATE.revision]: seen.candidate },
  };
  return [world, candidate];
}

/** Looks at a step that began so many seconds ago, by the code that judges real rollouts. */
export function lookAt(
  rollout: InferenceServiceSpec['rollout'],
  place: Place,
  passing: Passing,
  seconds: number,
): View {
  const [world, candidate] = worldAt(rollout, place, passing, seconds);
  const guards = judgeGuards(world, candidate);
  return { failed: failedGuard(world, candidate, guards), holding: holdingGuard(world, candidate, guards) };
}
