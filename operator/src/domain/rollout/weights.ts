import type { InferenceServiceStatus } from '@slipway/crds';
import { stepAt } from './steps.ts';
import type { CandidateStatus, World } from './world.ts';

/** All weights of a route together: steps of a hundredth of a percent. */
export const TOTAL_WEIGHT = 10_000;
const PER_PERCENT = TOTAL_WEIGHT / 100;

export interface Backend {
  readonly revision: string;
  readonly weight: number;
}
type Versions = Pick<InferenceServiceStatus, 'stable' | 'candidate'>;

const TAKES_TRAFFIC: readonly CandidateStatus['phase'][] = ['Shifting', 'Baking'];

/** Percent of requests the candidate is meant to get: above 0 in no phase but Shifting and Baking. */
export const candidatePercent = (candidate: CandidateStatus | undefined): number =>
  candidate !== undefined && TAKES_TRAFFIC.includes(candidate.phase) ? candidate.weight : 0;

/**
 * Backends of the route, stable first, with weights that add up to 10,000. A revision at 0 is left out altogether: a
 * gateway may keep sticky sessions on a backend of weight 0 (Gateway API GEP-1619). No stable version: no backend.
 */
export function backendsOf({ stable, candidate }: Versions): readonly Backend[] {
  if (stable === undefined) return [];
  const share = candidatePercent(candidate) * PER_PERCENT;
  const both = [
    { revision: stable.revision, weight: TOTAL_WEIGHT - share },
    ...(candidate === undefined ? [] : [{ revision: candidate.revision, weight: share }]),
  ];
  return both.filter(({ weight }) => weight > 0);
}

/** Whether the gateway has exactly these backends, at these weights. */
export function isProgrammed({ route }: World, backends: readonly Backend[]): boolean {
  if (route.state !== 'Programmed') return false;
  const shown = Object.entries(route.weights);
  return shown.length === backends.length && backends.every((b) => route.weights[b.revision] === b.weight);
}

/** Pods that serve all traffic now: what an autoscaler made of the stable version, else the minimum. */
const capacity = ({ spec, revisions, status }: World): number =>
  Math.max(spec.predictor.replicas.min, revisions[status.stable?.revision ?? '']?.replicas ?? 0);

/** Pods the candidate must have before it gets this percent of all requests: its part of what serves them now, at least one. */
export const replicasFor = (world: World, percent: number): number =>
  Math.max(1, Math.ceil((capacity(world) * percent) / 100));

const growsTo = (world: World, candidate: CandidateStatus): number => {
  const step = stepAt(world.spec.rollout.steps, candidate.phase === 'Preparing' ? 0 : candidate.step);
  return Math.max(candidate.weight, step.weight ?? 0);
};

function candidateReplicas(world: World, versions: Versions, candidate: CandidateStatus): number | undefined {
  if (candidate.phase === 'RolledBack' || candidate.phase === 'Complete') return undefined;
  if (versions.stable === undefined) return world.spec.predictor.replicas.min;
  // On the way out it keeps its pods until the gateway has let go of them.
  if (candidate.phase === 'RollingBack') return Math.max(1, world.revisions[candidate.revision]?.replicas ?? 1);
  return replicasFor(world, growsTo(world, candidate));
}

/**
 * Pods each revision must have. The stable version keeps its minimum to the end of the bake, so a rollback at any time
 * finds all of its pods warm. Revisions that are not named are no longer needed.
 */
export function replicasOf(world: World, versions: Versions): Readonly<Record<string, number>> {
  const { stable, candidate } = versions;
  const wanted = candidate && candidateReplicas(world, versions, candidate);
  return {
    ...(candidate !== undefined && wanted !== undefined ? { [candidate.revision]: wanted } : {}),
    ...(stable === undefined ? {} : { [stable.revision]: world.spec.predictor.replicas.min }),
  };
}

/**
 * Revisions that may go: neither this pass nor the stored status wants them, and the gateway, as far as it told, sends
 * them nothing. Until the status without them is written, an operator that dies would come back to the old one, and
 * its rollback would lead to pods that are gone.
 */
export function removable(world: World, wanted: Readonly<Record<string, number>>): readonly string[] {
  const { revisions, route, status } = world;
  if (route.state === 'Pending' || route.state === 'Refused') return [];
  const routed = route.state === 'Programmed' ? route.weights : {};
  const needed = { ...replicasOf(world, status), ...wanted, ...routed };
  return Object.keys(revisions).filter((r) => needed[r] === undefined);
}

/**
 * Revisions that may not lose pods: the stable one while another comes or goes. An autoscaler would see its requests
 * leave and take the very pods that a rollback needs, and that the size of the candidate is measured by.
 */
export function keptWarm({ stable, candidate }: Versions): readonly string[] {
  const over = candidate === undefined || candidate.phase === 'RolledBack' || candidate.phase === 'Complete';
  return over || stable === undefined ? [] : [stable.revision];
}
