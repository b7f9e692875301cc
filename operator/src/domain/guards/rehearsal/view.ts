import type { InferenceServiceSpec, RolloutStep } from '@slipway/crds';
import type { Tally } from '../../analysis/tally.ts';
import type { CandidateStatus, GuardStatus, RevisionEvidence, World } from '../../rollout/world.ts';
import { failedGuard, holdingGuard } from '../acting.ts';
import { judgeGuards } from '../judgeGuards.ts';

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
  readonly guards: readonly GuardStatus[];
}

/** Traffic that passes a rollout by, second by second. */
export interface Course {
  /** A step begins. */
  enter(): void;
  /** A second of a step, counted from 1. Gives what the candidate counted. */
  pass(step: RolloutStep, at: number): Tally;
  /** What the operator sees at a step that began so many seconds ago. */
  evidence(seconds: number): { readonly candidate: RevisionEvidence; readonly stable: RevisionEvidence };
}

function worldAt(
  rollout: InferenceServiceSpec['rollout'],
  { phase, step, weight, before }: Place,
  course: Pick<Course, 'evidence'>,
  seconds: number,
): [World, CandidateStatus] {
  const at = (second: number): string => new Date(START_MS + second * 1000).toISOString();
  const candidate = { ...CANDIDATE, phase, step, weight, startedAt: at(0), stepStartedAt: at(before) };
  const seen = course.evidence(seconds);
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
  course: Pick<Course, 'evidence'>,
  seconds: number,
): View {
  const [world, candidate] = worldAt(rollout, place, course, seconds);
  const guards = judgeGuards(world, candidate);
  return { failed: failedGuard(world, candidate, guards), holding: holdingGuard(world, candidate, guards), guards };
}
