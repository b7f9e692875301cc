import { type Exposure, equals, exposureAt, exposureBefore, exposureOf, levelOf, WHOLE } from './exposure.ts';
import { asksToPromote } from './people.ts';
import { backendsOf, isProgrammed } from './weights.ts';
import type { CandidateStatus, RevisionFacts, World } from './world.ts';

export type Versions = Pick<World['status'], 'stable' | 'candidate' | 'rolloutID'>;

/**
 * How pods of two versions make a weight. Beside: the candidate's come on top of the stable ones, and the weight is the
 * gateway's. InPlace: they take the places of stable ones, for where there is no accelerator to spare. Counted: they
 * come on top, and their number is the weight, as nothing else splits the requests.
 */
export type Sizing = 'Beside' | 'InPlace' | 'Counted';

export const sizingOf = ({ rollout, traffic }: World['spec']): Sizing => {
  if (rollout.surge === 'Never') return 'InPlace';
  return traffic.provider === 'Replicas' ? 'Counted' : 'Beside';
};

/** Whether a weight changes with the pods themselves, in place or beside: nothing else splits the requests. */
export const podsAreTheWeight = ({ traffic }: World['spec']): boolean => traffic.provider === 'Replicas';

const NO_PODS: RevisionFacts = { replicas: 0, ready: 0 };
export const podsOf = ({ revisions }: World, revision: string): RevisionFacts => revisions[revision] ?? NO_PODS;

/** Pods that requests can reach: ready ones that the Service knows of. A gateway answers 503 for a Service without any. */
export const reachable = ({ ready, endpoints = ready }: RevisionFacts): number => Math.min(ready, endpoints);

/**
 * Pods that all traffic needs: what an autoscaler made of the stable version, else the minimum. Where weights are made
 * of whole pods it is the number that the rollout began with, as the stable version gives pods away. A rollout that
 * began beside and goes on in place has no such number: then it is all pods of both, which swapping leaves as many. The
 * stable ones alone would be fewer at each look, until one is left for all of their traffic.
 */
export const capacity = (world: World, { stable, candidate }: Versions): number => {
  const { spec } = world;
  const sizing = sizingOf(spec);
  const began = sizing === 'Beside' ? undefined : candidate?.capacity;
  const own = podsOf(world, stable?.revision ?? '').replicas;
  const swapped = sizing === 'InPlace' ? podsOf(world, candidate?.revision ?? '').replicas : 0;
  return Math.max(spec.predictor.replicas.min, began ?? own + swapped);
};

const within = (low: number, n: number, high: number): number => Math.max(low, Math.min(n, high));

/** In place one stable pod stays to the end of the bake where there is more than one: what a rollback lands on. */
const inPlace = (total: number, { phase, weight, shadow = 0 }: Exposure): number => {
  const most = Math.max(1, total - 1);
  if (phase === 'Previewing' || weight === 100) return most;
  if (phase === 'Shadowing') return within(1, Math.ceil((total * shadow) / 100), most);
  return weight === 0 ? 0 : within(1, Math.round((total * weight) / 100), most);
};

/** c of T + c pods get a share of c / (T + c). Of all requests it gets all, by the switch of the Service. */
const counted = (total: number, exposure: Exposure): number => {
  const { phase, weight } = exposure;
  if (phase !== 'Shifting' || weight === 0 || weight === 100) return beside(total, exposure);
  return within(1, Math.round((total * weight) / (100 - weight)), total);
};

/** Its part of what serves all requests now, at least one pod. */
const beside = (total: number, { phase, weight, shadow = 0 }: Exposure): number => {
  const percent = phase === 'Previewing' ? 100 : phase === 'Shadowing' ? shadow : weight;
  return Math.max(1, Math.ceil((total * percent) / 100));
};

const SIZES = { Beside: beside, InPlace: inPlace, Counted: counted };

/** Pods a candidate needs before it may have an exposure. */
export const podsFor = (world: World, versions: Versions, exposure: Exposure): number =>
  SIZES[sizingOf(world.spec)](capacity(world, versions), exposure);

/** The exposure of the step that the candidate is at, or is made ready for. */
export function exposureWanted(world: World, versions: Versions, candidate: CandidateStatus): Exposure {
  const preparing = candidate.phase === 'Preparing';
  if (candidate.back === true || (preparing && asksToPromote(world, versions))) return WHOLE;
  return exposureAt(world.spec.rollout.steps, preparing ? 0 : candidate.step, exposureOf(candidate));
}

/** Pods for what it has, and for what it is at: it loses none before the weight that needs them is gone. */
export function podsWanted(world: World, versions: Versions, candidate: CandidateStatus): number {
  if (versions.stable === undefined) return world.spec.predictor.replicas.min;
  const now = podsFor(world, versions, exposureOf(candidate));
  if (candidate.phase === 'Baking') return now;
  return Math.max(now, podsFor(world, versions, exposureWanted(world, versions, candidate)));
}

export const isOwed = (world: World, versions: Versions, candidate: CandidateStatus): boolean =>
  !equals(exposureOf(candidate), exposureWanted(world, versions, candidate));

/**
 * Whether all that keeps it from what its step asks for is pods: it passed the steps before, as they are now. A step
 * that was edited to ask for more is not passed yet.
 */
export const isDue = (world: World, versions: Versions, candidate: CandidateStatus): boolean =>
  isOwed(world, versions, candidate) &&
  equals(exposureOf(candidate), exposureBefore(world.spec.rollout.steps, candidate.step));

export const isHidden = (candidate: CandidateStatus): boolean => levelOf(exposureOf(candidate)) === 0;

/** A candidate whose weight is lowered loses no pod before the gateway has lowered it: but where pods are the weight. */
function podsStillAsked(world: World, versions: Versions, candidate: CandidateStatus): number {
  const { route } = world;
  if (podsAreTheWeight(world.spec)) return 0;
  const routes = route.state === 'Programmed' ? route.routes : [];
  return isProgrammed(world, backendsOf(versions), routes) ? 0 : podsOf(world, candidate.revision).replicas;
}

/**
 * On the way out it keeps its pods until the gateway has let go of them. A Service without a pod never does: where the
 * candidate took the only place there is and no gateway stands before it, it gives that back at once.
 */
function podsLeaving(world: World, versions: Versions, { revision }: CandidateStatus): number {
  const kept = Math.max(1, podsOf(world, revision).replicas);
  const inPlaceOfAll = sizingOf(world.spec) === 'InPlace' && podsAreTheWeight(world.spec);
  return inPlaceOfAll ? Math.min(kept, capacity(world, versions) - 1) : kept;
}

/** Pods to ask for now. In place they come one by one, each when the one before is ready, so that few are away at once. */
function candidateReplicas(world: World, versions: Versions, candidate: CandidateStatus): number | undefined {
  const { replicas, ready } = podsOf(world, candidate.revision);
  if (candidate.phase === 'RolledBack' || candidate.phase === 'Complete') return undefined;
  if (candidate.phase === 'RollingBack') return podsLeaving(world, versions, candidate);
  const wanted = Math.max(podsWanted(world, versions, candidate), podsStillAsked(world, versions, candidate));
  if (versions.stable === undefined || sizingOf(world.spec) !== 'InPlace') return wanted;
  return Math.min(wanted, Math.max(replicas, ready + 1));
}

function stableReplicas(world: World, versions: Versions, candidates: number | undefined): number {
  const sizing = sizingOf(world.spec);
  if (candidates === undefined || sizing === 'Beside') return world.spec.predictor.replicas.min;
  const total = capacity(world, versions);
  return sizing === 'InPlace' ? Math.max(0, total - candidates) : total;
}

/**
 * Pods each revision must have. Beside another the stable version keeps its minimum to the end of the bake, so a
 * rollback at any time finds all of its pods warm. Revisions that are not named are no longer needed.
 */
export function replicasOf(world: World, versions: Versions): Readonly<Record<string, number>> {
  const { stable, candidate } = versions;
  const wanted = candidate && candidateReplicas(world, versions, candidate);
  return {
    ...(candidate !== undefined && wanted !== undefined ? { [candidate.revision]: wanted } : {}),
    ...(stable === undefined ? {} : { [stable.revision]: stableReplicas(world, versions, wanted) }),
  };
}

const isOver = ({ candidate }: Versions): boolean =>
  candidate === undefined || candidate.phase === 'RolledBack' || candidate.phase === 'Complete';

/**
 * Revisions that may not lose pods: the stable one while another comes or goes. An autoscaler would see its requests
 * leave and take the very pods that a rollback needs, and that the size of the candidate is measured by.
 */
export const keptWarm = (versions: Versions): readonly string[] =>
  isOver(versions) || versions.stable === undefined ? [] : [versions.stable.revision];

/** Revisions whose number of pods is the plan's alone while weights are made of whole pods. */
export const keptExact = ({ spec }: World, versions: Versions): readonly string[] =>
  isOver(versions) || sizingOf(spec) === 'Beside'
    ? []
    : [versions.stable, versions.candidate].flatMap((version) => version?.revision ?? []);
