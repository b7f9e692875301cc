import { LABELS } from '@slipway/crds/contract';
import type { Pod, Service } from '../api/builtin.ts';
import type { EndpointSlice } from '../api/endpointSlices.ts';
import { TOTAL_WEIGHT } from '../domain/rollout/weights.ts';
import type { RouteFacts } from '../domain/rollout/world.ts';
import { SERVICE_NAME } from './liveSlices.ts';

const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[LABELS.revision] ?? '';

const serves = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false);

/** Names of the pods that get requests. A pod with two address families is in two slices, and counts once. */
const listed = (slices: readonly EndpointSlice[], service: string): ReadonlySet<string> =>
  new Set(
    slices
      .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ targetRef }) => targetRef?.name ?? []),
  );

const countByRevision = (pods: readonly Pod[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const pod of pods) counts[revisionOf(pod)] = (counts[revisionOf(pod)] ?? 0) + 1;
  return counts;
};

/** Shares of 10,000 by largest remainder: they add up whatever the counts. */
export function sharesOf(counts: Readonly<Record<string, number>>): Record<string, number> {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const exact = Object.entries(counts).map(([revision, count]) => ({
    revision,
    share: (count * TOTAL_WEIGHT) / total,
  }));
  const left = TOTAL_WEIGHT - exact.reduce((sum, { share }) => sum + Math.floor(share), 0);
  const byRemainder = exact.toSorted((a, b) => (b.share % 1) - (a.share % 1));
  const lucky = new Set(byRemainder.slice(0, left).map(({ revision }) => revision));
  return Object.fromEntries(
    exact.map(({ revision, share }) => [revision, Math.floor(share) + (lucky.has(revision) ? 1 : 0)]),
  );
}

/**
 * How a Service splits requests between revisions: evenly between the pods that its EndpointSlices list. They follow a
 * change of the selector with a delay; until they list no pod that it no longer selects or that nobody here knows, and
 * some of each revision that it newly selects, the change is Pending.
 */
export function endpointFacts(
  service: Service | undefined,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[],
): RouteFacts {
  if (service === undefined) return { state: 'Absent' };
  const only = service.spec?.selector?.[LABELS.revision];
  const selects = (revision: string): boolean => only === undefined || only === revision;
  const names = listed(slices, service.metadata.name);
  const found = pods.filter(({ metadata }) => names.has(metadata.name));
  const taking = countByRevision(found);
  const ready = Object.keys(countByRevision(pods.filter(serves))).filter(selects);
  const leaving = Object.keys(taking).some((revision) => !selects(revision));
  const missing = ready.some((revision) => taking[revision] === undefined);
  const unknown = found.length < names.size;
  if (leaving || missing || unknown || Object.keys(taking).length === 0) return { state: 'Pending' };
  return { state: 'Programmed', weights: sharesOf(taking), pods: taking };
}
