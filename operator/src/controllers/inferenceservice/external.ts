import type { InferenceService } from '../../api/kinds.ts';
import type { CandidateStatus, ExternalFinding } from '../../domain/rollout/world.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import type { PrometheusFindings } from '../../measure/external/prometheusFindings.ts';
import type { Children } from './children.ts';
import { exposureKey } from './exposureKey.ts';
import type { GuardTests } from './guardTests.ts';

/** Where guards learn what no pod can tell them. */
export interface ExternalReaders {
  readonly queries: PrometheusFindings;
  readonly tests: GuardTests;
}

/** Phases in which a candidate is asked anything: before, there is nothing to find. */
const SHOWN: readonly CandidateStatus['phase'][] = ['Shadowing', 'Previewing', 'Shifting', 'Baking'];

/**
 * What was learned outside the pods, by name of the guard. Queries look anew when the candidate is shown to more; a
 * test runs once a step, and what it found holds in the bake after it.
 */
export function readExternal(
  { queries, tests }: ExternalReaders,
  infs: Stored<InferenceService>,
  children: Children,
): Readonly<Record<string, ExternalFinding>> {
  const { candidate, stable, rolloutID } = infs.status ?? {};
  if (candidate === undefined || rolloutID === undefined || !SHOWN.includes(candidate.phase)) {
    forgetExternal({ queries, tests }, keyOf(infs));
    return {};
  }
  const guards = infs.spec.rollout.guards ?? [];
  const since = new Date(candidate.stepStartedAt ?? candidate.startedAt);
  const variables = {
    namespace: infs.metadata.namespace ?? '',
    service: infs.metadata.name,
    revision: candidate.revision,
    stable: stable?.revision ?? '',
    version: candidate.version,
  };
  const step = `${rolloutID}/${exposureKey(candidate)}`;
  return {
    ...queries.read({ service: keyOf(infs), step, since, guards, variables }),
    ...tests.read(infs, rolloutID, candidate, children.tests),
  };
}

export function forgetExternal({ queries, tests }: ExternalReaders, service: Key): void {
  queries.forget(service);
  tests.forget(service);
}
