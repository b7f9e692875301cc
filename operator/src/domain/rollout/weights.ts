import type { InferenceServiceStatus } from '@slipway/crds';
import { canonicalJson } from '../revision.ts';
import type { CandidateStatus, HeaderRoute, RouteFacts } from './world.ts';

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

/** Half a percent point: what a weight may be off that is a share of whole pods. */
const NEAR = TOTAL_WEIGHT / 200;

const isNear = (shown: number | undefined, weight: number, slack: number): boolean =>
  shown !== undefined && Math.abs(shown - weight) <= slack;

const listed = (routes: readonly HeaderRoute[]): string => routes.map(canonicalJson).sort().join();

/**
 * Whether the gateway has exactly these backends, at these weights, and exactly these header routes; where pods are
 * counted, as near as possible.ts asks for. A header route that
 * is left to a version that was taken back is traffic like any other. Their order is the provider's to keep.
 */
export function isProgrammed(
  { route }: { readonly route: RouteFacts },
  backends: readonly Backend[],
  routes: readonly HeaderRoute[] = [],
): boolean {
  if (route.state !== 'Programmed') return false;
  const shown = Object.entries(route.weights);
  const slack = route.pods === undefined ? 0 : NEAR;
  const weightsAgree =
    shown.length === backends.length && backends.every((b) => isNear(route.weights[b.revision], b.weight, slack));
  return weightsAgree && listed(route.routes ?? []) === listed(routes);
}
