import type { Guard } from '@slipway/crds';
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

/** Phases in which a candidate is asked anything. */
const SHOWN: readonly CandidateStatus['phase'][] = ['Shadowing', 'Previewing', 'Shifting', 'Baking'];

type Findings = Readonly<Record<string, ExternalFinding>>;

/** Before a candidate is shown to anybody there is nothing to find but that a query can't be asked, or was not yet. */
const faultsIn = (findings: Findings, guards: readonly Guard[]): Findings =>
  Object.fromEntries(
    guards.flatMap(({ name, prometheus }): [string, ExternalFinding][] => {
      const found: ExternalFinding = findings[name] ?? { kind: 'Untried' };
      return prometheus !== undefined && (found.kind === 'Invalid' || found.kind === 'Untried') ? [[name, found]] : [];
    }),
  );

/**
 * What was learned outside the pods, by name of the guard. Queries look anew when the candidate is shown to more; a
 * test runs once a step, and what it found holds in the bake after it. A query that does not parse is found while pods
 * come up, so that a version that could not be judged gets no user.
 */
export function readExternal(
  { queries, tests }: ExternalReaders,
  infs: Stored<InferenceService>,
  children: Children,
): Findings {
  const { candidate, stable, rolloutID } = infs.status ?? {};
  const isPrepared = candidate?.phase === 'Preparing' && stable !== undefined && candidate.back !== true;
  const isAsked = candidate !== undefined && (isPrepared || SHOWN.includes(candidate.phase));
  if (!isAsked || rolloutID === undefined) {
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
  const found = queries.read({ service: keyOf(infs), step, since, guards, variables });
  return isPrepared ? faultsIn(found, guards) : { ...found, ...tests.read(infs, rolloutID, candidate, children.tests) };
}

export function forgetExternal({ queries, tests }: ExternalReaders, service: Key): void {
  queries.forget(service);
  tests.forget(service);
}
