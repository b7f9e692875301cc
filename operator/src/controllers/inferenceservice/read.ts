import { ANNOTATIONS } from '@slipway/crds/contract';
import type { Pod } from '../../api/builtin.ts';
import { type InferenceService, modelVersions } from '../../api/kinds.ts';
import type { RevisionSpec } from '../../domain/revision.ts';
import { revisionOf } from '../../domain/revision.ts';
import { liveCandidate } from '../../domain/rollout/decision.ts';
import { troubleOf } from '../../domain/rollout/trouble.ts';
import { backendsOf, isProgrammed } from '../../domain/rollout/weights.ts';
import type { RevisionEvidence, RevisionFacts, RouteFacts, World } from '../../domain/rollout/world.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import type { EvidenceSource, PodAddress } from '../../measure/source.ts';
import { SERVER_CONTAINER } from '../../render/predictorChildren.ts';
import { readRevisionRecord } from '../../render/revisionRecord.ts';
import type { TrafficProvider } from '../../traffic/provider.ts';
import type { AdminTokens } from './adminTokens.ts';
import { type Children, childrenOf, revisionLabel } from './children.ts';
import { targetOf, wantedRevision } from './target.ts';

export interface Readers {
  readonly context: Pick<ControllerContext, 'store' | 'now'>;
  readonly traffic: TrafficProvider;
  readonly evidence: EvidenceSource;
  readonly tokens: AdminTokens;
  readonly guardPeriodMs: number;
}

/** What a pass works on: the world it decides about, and what is needed to carry the decision out. */
export interface Reading {
  readonly infs: Stored<InferenceService>;
  readonly world: World;
  readonly children: Children;
  /** What each known revision runs: the wanted one, and those whose objects exist. */
  readonly specs: Readonly<Record<string, RevisionSpec>>;
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;

function factsOf(children: Children, revision: string): RevisionFacts {
  const of = children.pods.filter((pod) => revisionLabel(pod) === revision);
  const trouble = troubleOf(of, SERVER_CONTAINER);
  return {
    replicas: children.deployments.find((d) => revisionLabel(d) === revision)?.spec?.replicas ?? 0,
    ready: of.filter(isReady).length,
    ...(trouble === undefined ? {} : { trouble }),
  };
}

const revisionsOf = (children: Children): Record<string, RevisionFacts> => {
  const names = new Set([...children.deployments, ...children.services].map(revisionLabel));
  return Object.fromEntries([...names].map((revision) => [revision, factsOf(children, revision)]));
};

const recordsOf = (children: Children): Record<string, RevisionSpec> =>
  Object.fromEntries(
    [...children.deployments, ...children.services].flatMap((object) => {
      const spec = readRevisionRecord(object);
      return spec === undefined || revisionOf(spec) !== revisionLabel(object) ? [] : [[revisionLabel(object), spec]];
    }),
  );

const addresses = (children: Children): readonly PodAddress[] =>
  children.pods.flatMap((pod) => {
    const ip = pod.status?.podIP;
    return ip === undefined ? [] : [{ uid: pod.metadata.uid, ip, revision: revisionLabel(pod) }];
  });

/** Evidence is asked for while a rollout is live, and never otherwise: a quiet fleet costs no polls. */
async function evidenceFor(
  { evidence, tokens }: Readers,
  infs: Stored<InferenceService>,
  children: Children,
  route: RouteFacts,
  signal: AbortSignal,
): Promise<Readonly<Record<string, RevisionEvidence>>> {
  const { status = {} } = infs;
  const candidate = liveCandidate(status);
  if (candidate === undefined || status.rolloutID === undefined) return {};
  const token = await tokens.of(infs, signal);
  if (token === undefined) return {};
  const programmed = isProgrammed({ route } as World, backendsOf(status));
  return evidence.read(
    {
      service: keyOf(infs),
      rolloutID: status.rolloutID,
      startedAt: new Date(candidate.startedAt),
      step: `${candidate.weight}/${programmed ? 'programmed' : 'pending'}`,
      token,
      pods: addresses(children).filter(({ revision }) =>
        [candidate.revision, status.stable?.revision].includes(revision),
      ),
    },
    signal,
  );
}

const ASKED = ['retry', 'pause', 'promote', 'abort', 'rollback'] as const;

const asked = ({ metadata: { annotations = {} } }: InferenceService): World['asked'] =>
  Object.fromEntries(
    ASKED.flatMap((name) => {
      const value = annotations[ANNOTATIONS[name]];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Gathers everything one decision about a service needs. */
export async function read(readers: Readers, infs: Stored<InferenceService>, signal: AbortSignal): Promise<Reading> {
  const { context, traffic, guardPeriodMs } = readers;
  const { namespace = '', generation = 0 } = infs.metadata;
  const { name, version } = infs.spec.model;
  const modelVersion = context.store(modelVersions).get({ namespace, name: `${name}-${version}` });
  const children = childrenOf(context, infs);
  const { route, url } = traffic.read(infs);
  const evidence = await evidenceFor(readers, infs, children, route, signal);
  const target = targetOf(infs, modelVersion);
  const wanted = modelVersion && wantedRevision(infs, modelVersion);
  return {
    infs,
    children,
    specs: { ...recordsOf(children), ...(wanted === undefined ? {} : { [revisionOf(wanted)]: wanted }) },
    world: {
      now: context.now(),
      generation,
      guardPeriodMs,
      spec: infs.spec,
      status: infs.status ?? ({} as World['status']),
      asked: asked(infs),
      target,
      revisions: revisionsOf(children),
      route,
      evidence,
      ...(url === undefined ? {} : { url }),
    },
  };
}
