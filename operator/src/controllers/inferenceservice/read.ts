import { ANNOTATIONS } from '@slipway/crds/contract';
import { type InferenceService, modelVersions } from '../../api/kinds.ts';
import { explainPlacement } from '../../domain/placement/explain.ts';
import type { RevisionSpec } from '../../domain/revision.ts';
import { revisionOf } from '../../domain/revision.ts';
import { troubleOf } from '../../domain/rollout/trouble.ts';
import type { RevisionFacts, World } from '../../domain/rollout/world.ts';
import { type ExplainPod, unschedulableMessage } from '../../domain/workload/podWait.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { SERVER_CONTAINER } from '../../render/predictorChildren.ts';
import { readRevisionRecord } from '../../render/revisionRecord.ts';
import { FETCH_CONTAINER } from '../../render/servedArtifact.ts';
import type { TrafficProvider } from '../../traffic/provider.ts';
import type { ClusterNews } from '../placement/news.ts';
import { type Children, childrenOf, revisionLabel } from './children.ts';
import { endpointsOf } from './endpoints.ts';
import { type ExternalReaders, readExternal } from './external.ts';
import { type EvidenceReaders, gatherEvidence } from './gatherEvidence.ts';
import { isReady } from './podReadiness.ts';
import { BY_MODEL } from './sources.ts';
import { previousOf, targetOf, wantedRevision, wantedVersion } from './target.ts';
import type { UnreadyTimes } from './unreadyTimes.ts';

export interface Readers extends EvidenceReaders {
  readonly context: Pick<ControllerContext, 'store' | 'now' | 'enqueue'>;
  readonly cluster: Pick<ClusterNews, 'seen'>;
  readonly traffic: TrafficProvider;
  readonly external: ExternalReaders;
  readonly guardPeriodMs: number;
  readonly unready: UnreadyTimes;
}

/** What a pass works on: the world it decides about, and what is needed to carry the decision out. */
export interface Reading {
  readonly infs: Stored<InferenceService>;
  readonly world: World;
  readonly children: Children;
  /** What each known revision runs: the wanted one, the previous one, and those whose objects exist. */
  readonly specs: Readonly<Record<string, RevisionSpec>>;
}

/** Why no node takes a pod, from the cluster as it was seen last; where it was not seen yet the service is looked at again. */
function explaining({ context, cluster }: Readers, infs: Stored<InferenceService>, signal: AbortSignal): ExplainPod {
  const { accelerator } = infs.spec.predictor;
  const now = context.now();
  return (pod) => {
    const seen = cluster.seen(accelerator?.claim !== undefined, now, signal, () => context.enqueue(keyOf(infs)));
    if (seen === undefined || pod.spec === undefined) return undefined;
    const { sentence } = explainPlacement(pod.spec, seen, { accelerator, scheduler: unschedulableMessage(pod) });
    return sentence;
  };
}

function factsOf(children: Children, revision: string, explain: ExplainPod): RevisionFacts {
  const of = children.pods.filter((pod) => revisionLabel(pod) === revision);
  const trouble = troubleOf(of, [FETCH_CONTAINER, SERVER_CONTAINER], explain);
  const endpoints = endpointsOf(children, revision);
  return {
    replicas: children.deployments.find((d) => revisionLabel(d) === revision)?.spec?.replicas ?? 0,
    ready: of.filter(isReady).length,
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

const revisionsOf = (children: Children, explain: ExplainPod): Record<string, RevisionFacts> => {
  const names = new Set([...children.deployments, ...children.services].map(revisionLabel));
  return Object.fromEntries([...names].map((revision) => [revision, factsOf(children, revision, explain)]));
};

const recordsOf = (children: Children): Record<string, RevisionSpec> =>
  Object.fromEntries(
    [...children.deployments, ...children.services].flatMap((object) => {
      const spec = readRevisionRecord(object);
      return spec === undefined || revisionOf(spec) !== revisionLabel(object) ? [] : [[revisionLabel(object), spec]];
    }),
  );

const ASKED = ['retry', 'pause', 'promote', 'abort', 'rollback'] as const;

const asked = ({ metadata: { annotations = {} } }: InferenceService): World['asked'] =>
  Object.fromEntries(
    ASKED.flatMap((name) => {
      const value = annotations[ANNOTATIONS[name]];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** The versions that spec and status name, and what pods of them run. */
function versionsOf({ context }: Readers, infs: Stored<InferenceService>, recorded: Record<string, RevisionSpec>) {
  const { namespace = '' } = infs.metadata;
  const { name } = infs.spec.model;
  const versions = context.store(modelVersions);
  const modelVersion = (of: string) => versions.get({ namespace, name: `${name}-${of}` });
  const { previous: before } = infs.status ?? {};
  const previous = before && previousOf(infs, before, modelVersion(before.version), recorded);
  const all = () => versions.by(BY_MODEL, `${namespace}/${name}`);
  const wanted = wantedVersion(infs, { named: modelVersion, all });
  const specs = [wanted && wantedRevision(infs, wanted), previous?.spec].filter((spec) => spec !== undefined);
  return {
    target: targetOf(infs, wanted),
    ...(previous === undefined ? {} : { previous: previous.target }),
    specs: { ...recorded, ...Object.fromEntries(specs.map((spec) => [revisionOf(spec), spec])) },
  };
}

/** Gathers everything one decision about a service needs. */
export async function read(readers: Readers, infs: Stored<InferenceService>, signal: AbortSignal): Promise<Reading> {
  const { context, traffic, guardPeriodMs } = readers;
  const { generation = 0 } = infs.metadata;
  const children = childrenOf(context, infs);
  const { route, url } = await traffic.read(infs, signal);
  const evidence = await gatherEvidence(readers, infs, children, route, signal);
  const now = context.now();
  const { specs, ...versions } = versionsOf(readers, infs, recordsOf(children));
  const revisions = revisionsOf(children, explaining(readers, infs, signal));
  return {
    infs,
    children,
    specs,
    world: {
      now,
      generation,
      ...(infs.metadata.name === undefined ? {} : { name: infs.metadata.name }),
      guardPeriodMs,
      podsAreAsked: readers.evidence.asksPods,
      spec: infs.spec,
      status: infs.status ?? ({} as World['status']),
      asked: asked(infs),
      ...versions,
      revisions: readers.unready.look(keyOf(infs), revisions, now),
      route,
      evidence,
      external: readExternal(readers.external, infs, children),
      ...(url === undefined ? {} : { url }),
    },
  };
}
