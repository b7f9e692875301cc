import type { InferenceService } from '../../api/kinds.ts';
import { liveCandidate } from '../../domain/rollout/decision.ts';
import type { Plan } from '../../domain/rollout/plan.ts';
import { routesOf } from '../../domain/rollout/routes.ts';
import { backendsOf, isProgrammed } from '../../domain/rollout/weights.ts';
import type { CandidateStatus, RevisionEvidence, RouteFacts } from '../../domain/rollout/world.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { peersAmong } from '../../measure/peers.ts';
import type { EvidenceQuestion, EvidenceSource, PodAddress } from '../../measure/source.ts';
import { addressesOf } from './addresses.ts';
import type { AdminTokens } from './adminTokens.ts';
import { type Children, revisionLabel } from './children.ts';
import { exposureKey } from './exposureKey.ts';
import { NO_ORDERS, type Orders, ordersOf } from './orders.ts';
import { isReady } from './podReadiness.ts';
import type { Reading } from './read.ts';

export interface EvidenceReaders {
  readonly evidence: EvidenceSource;
  readonly tokens: AdminTokens;
}
type Infs = Stored<InferenceService>;

const podsOf = (children: Children): readonly PodAddress[] =>
  children.pods.flatMap((pod) => {
    const ip = pod.status?.podIP;
    return ip === undefined
      ? []
      : [{ uid: pod.metadata.uid, name: pod.metadata.name, ip, revision: revisionLabel(pod) }];
  });

const ASKED: readonly CandidateStatus['phase'][] = [
  'Preparing',
  'Shadowing',
  'Previewing',
  'Shifting',
  'Baking',
  'RollingBack',
];

/**
 * Pods that are asked. On its way out the candidate is not waited for: the stable pods alone hear that what they copied
 * or passed on to it is over.
 */
function askedPods({ status = {} }: Infs, children: Children): readonly PodAddress[] {
  const { candidate, stable } = status;
  const revisions = candidate?.phase === 'RollingBack' ? [stable?.revision] : [candidate?.revision, stable?.revision];
  return podsOf(children).filter(({ revision }) => revisions.includes(revision));
}

/**
 * What the candidate is shown to, and whether the gateway has it: requests that came before are of another split. So are
 * those that came while a side had no ready pod: its share went nowhere or to the other, and was counted by nobody, and
 * a step that is long would go on showing another split for hours after all is well.
 */
export const windowKey = (candidate: CandidateStatus, programmed: boolean, bothServe = true): string =>
  `${exposureKey(candidate)}/${programmed ? 'programmed' : 'pending'}${bothServe ? '' : '/down'}`;

const serves = ({ pods }: Children, revision: string | undefined): boolean =>
  pods.some((pod) => revisionLabel(pod) === revision && isReady(pod));

const thresholdsOf = ({ spec }: Infs): readonly number[] => {
  const latencies = (spec.rollout.guards ?? []).flatMap(({ latency }) => latency?.threshold ?? []);
  return [...new Set(latencies.map((text) => Number.parseFloat(text)))].sort((a, b) => a - b);
};

interface Asked {
  readonly children: Children;
  readonly route: RouteFacts;
  readonly token: string;
  readonly orders: Orders;
}

function questionOf(infs: Infs, candidate: CandidateStatus, rolloutID: string, asked: Asked): EvidenceQuestion {
  const { children, route, token, orders } = asked;
  const { status = {} } = infs;
  const { stable } = status;
  const all = podsOf(children);
  const bothServe = [candidate.revision, stable?.revision ?? candidate.revision].every((of) => serves(children, of));
  const programmed = isProgrammed({ route }, backendsOf(status), routesOf(infs.spec, status));
  return {
    service: keyOf(infs),
    model: infs.spec.model.name,
    rolloutID,
    startedAt: new Date(candidate.startedAt),
    step: windowKey(candidate, programmed, bothServe),
    stepStartedAt: new Date(candidate.stepStartedAt ?? candidate.startedAt),
    candidate: candidate.revision,
    ...(stable === undefined ? {} : { stable: stable.revision }),
    token,
    pods: askedPods(infs, children),
    thresholdsMs: thresholdsOf(infs),
    predictions: infs.spec.rollout.guards?.some(({ predictionShift }) => predictionShift !== undefined) ?? false,
    ...(orders.shadow === undefined ? {} : { shadowOrder: orders.shadow }),
    poll: (pod) => ({ ...orders.of(pod.revision), peers: peersAmong(all, pod) }),
  };
}

/** Evidence is asked for while a rollout is live, and never otherwise: a quiet fleet costs no polls. */
export async function gatherEvidence(
  { evidence, tokens }: EvidenceReaders,
  infs: Infs,
  children: Children,
  route: RouteFacts,
  signal: AbortSignal,
): Promise<Readonly<Record<string, RevisionEvidence>>> {
  const { candidate, rolloutID } = infs.status ?? {};
  if (candidate === undefined || rolloutID === undefined || !ASKED.includes(candidate.phase)) {
    evidence.forget(keyOf(infs));
    return {};
  }
  const token = await tokens.of(infs, signal);
  if (token === undefined) return {};
  const orders = ordersOf(infs, addressesOf(infs, children));
  return evidence.read(questionOf(infs, candidate, rolloutID, { children, route, token, orders }), signal);
}

/**
 * Ends every order in the pass that ends the rollout, once its route is written: until they expire, stable pods would
 * pass users on to a version that was taken back, or copy requests to pods that are going away. As well as may be: a
 * pod that does not hear it stops when its order expires.
 */
export async function endOrders(
  { evidence, tokens }: EvidenceReaders,
  { infs, children }: Pick<Reading, 'infs' | 'children'>,
  { status }: Pick<Plan, 'status'>,
  signal: AbortSignal,
): Promise<void> {
  if (liveCandidate(infs.status ?? {}) === undefined || liveCandidate(status) !== undefined) return;
  const token = await tokens.of(infs, signal);
  const stable = podsOf(children).filter(({ revision }) => revision === infs.status?.stable?.revision);
  if (token !== undefined) await evidence.tell(stable, token, NO_ORDERS, signal);
}
