import {
  deployments,
  horizontalPodAutoscalers,
  networkPolicies,
  podDisruptionBudgets,
  secrets,
  services,
} from '../../api/builtin.ts';
import type { InferenceService } from '../../api/kinds.ts';
import { migStrategy } from '../../domain/placement/mig.ts';
import type { RevisionSpec } from '../../domain/revision.ts';
import { liveCandidate } from '../../domain/rollout/decision.ts';
import type { Plan } from '../../domain/rollout/plan.ts';
import type { Client } from '../../kube/client.ts';
import { keyOf, type Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { adminSecret } from '../../render/adminSecret.ts';
import { isAsApplied, stamped } from '../../render/applied.ts';
import { autoscaler } from '../../render/autoscaler.ts';
import { deployment, replicasPatch } from '../../render/deployment.ts';
import { networkPolicy } from '../../render/networkPolicy.ts';
import type { PlacementMore } from '../../render/placement.ts';
import { podDisruptionBudget } from '../../render/podDisruptionBudget.ts';
import { predictorMeta } from '../../render/predictorChildren.ts';
import type { RuntimeImage } from '../../render/runtimeImage.ts';
import { service } from '../../render/service.ts';
import type { TrafficProvider } from '../../traffic/provider.ts';
import { ensureChild } from '../jobs/ensureChild.ts';
import { ensureClaimTemplate } from '../placement/claimed.ts';
import type { ClusterView } from '../placement/cluster.ts';
import { revisionLabel } from './children.ts';
import { removeTests, startTests } from './guardTests.ts';
import type { Reading } from './read.ts';

export interface Hands {
  readonly client: Client;
  readonly cluster: ClusterView;
  readonly now: () => Date;
  readonly traffic: TrafficProvider;
  readonly newToken: () => string;
  readonly runtime: RuntimeImage;
  /** Namespaces that may reach the admin port of pods. */
  readonly adminFrom: readonly string[];
  readonly fieldManager: string;
}

type Infs = Stored<InferenceService>;
/** How many pods a revision must have, and what an autoscaler may make of it. */
interface Pods {
  readonly replicas: number;
  readonly warm: boolean;
  readonly exact: boolean;
}
const ofRevision = <T extends KubeObject>(objects: readonly Stored<T>[], revision: string): Stored<T> | undefined =>
  objects.find((object) => revisionLabel(object) === revision);

/** Makes an object what a pass asks for: created with care for a namesake, changed in one write, or left alone. */
async function converge<T extends KubeObject>(
  { client, fieldManager }: Hands,
  resource: Resource<T>,
  infs: Infs,
  found: Stored<T> | undefined,
  wanted: T,
  signal: AbortSignal,
): Promise<void> {
  const object = stamped(wanted);
  if (found === undefined) return ensureChild(client, resource, object, infs, { fieldManager, signal });
  if (!isAsApplied(found, object)) await client.apply(resource, object, { fieldManager, signal });
}

/**
 * Whether the token may be gone: pods that mount it do not come up, or none could be asked in mid-rollout. Secrets are
 * not watched, so it is looked for by its name, and only then.
 */
const mayLackToken = ({ world }: Reading, revision: string, replicas: number): boolean =>
  (world.revisions[revision]?.ready ?? 0) < replicas ||
  (liveCandidate(world.status) !== undefined && Object.keys(world.evidence).length === 0);

/** How the cluster offers the accelerators that the pods ask for. Nodes are looked at only where slices are asked for. */
async function placementOf(
  hands: Hands,
  infs: Infs,
  { predictor: { accelerator } }: RevisionSpec,
  signal: AbortSignal,
): Promise<PlacementMore> {
  const { cluster, fieldManager, now } = hands;
  const meta = (name: string) => predictorMeta(infs, name);
  const claimTemplate = await ensureClaimTemplate(hands, infs, accelerator, meta, { fieldManager, signal });
  const cut = accelerator?.mig !== undefined && accelerator.claim === undefined;
  return { claimTemplate, mig: cut ? migStrategy(accelerator, (await cluster.look(now(), signal)).nodes) : undefined };
}

/** What the pods mount comes before the pods; what exists already is never touched, so that no release restarts a pod. */
async function ensurePods(
  hands: Hands,
  reading: Reading,
  spec: RevisionSpec,
  revision: string,
  replicas: number,
  signal: AbortSignal,
) {
  const { infs, children } = reading;
  const { client, fieldManager, newToken, runtime } = hands;
  const once = { fieldManager, signal, once: true };
  if (ofRevision(children.services, revision) === undefined) {
    await ensureChild(client, services, service(infs, spec), infs, once);
  }
  if (mayLackToken(reading, revision, replicas)) {
    await ensureChild(client, secrets, adminSecret(infs, newToken()), infs, once);
  }
  if (ofRevision(children.deployments, revision) !== undefined) return;
  const more = await placementOf(hands, infs, spec, signal);
  await ensureChild(client, deployments, deployment(infs, spec, runtime, more), infs, once);
}

/**
 * Pods of a revision: an autoscaler's to say where one was asked for, and then not written here. None is no number that
 * an autoscaler takes, and it leaves a Deployment that has none alone for ever: those are asked for before it.
 */
async function scale(
  hands: Hands,
  reading: Reading,
  revision: string,
  { replicas, warm, exact }: Pods,
  signal: AbortSignal,
): Promise<void> {
  const { infs, children, specs } = reading;
  const { client, fieldManager, runtime } = hands;
  const scaler = ofRevision(children.autoscalers, revision);
  const wanted = replicas === 0 ? undefined : autoscaler(infs, revision, { min: replicas, warm, exact });
  if (wanted === undefined && scaler !== undefined) {
    await client.delete(horizontalPodAutoscalers, keyOf(scaler), { signal });
  }
  const found = ofRevision(children.deployments, revision);
  const spec = specs[revision];
  const asked = found?.spec?.replicas;
  if (spec !== undefined && (wanted === undefined ? asked !== replicas : asked === 0)) {
    const patch = replicasPatch(found ?? deployment(infs, spec, runtime), replicas);
    await client.apply(deployments, patch, { fieldManager: `${fieldManager}-replicas`, signal });
  }
  if (wanted !== undefined) await converge(hands, horizontalPodAutoscalers, infs, scaler, wanted, signal);
}

async function ensureRevision(hands: Hands, reading: Reading, revision: string, wanted: Pods, signal: AbortSignal) {
  const { infs, children, specs } = reading;
  const spec = specs[revision];
  // Neither its objects nor its ModelVersion are left to tell what it ran; Ready says that no pod answers.
  if (spec === undefined) return;
  await ensurePods(hands, reading, spec, revision, wanted.replicas, signal);
  const budget = ofRevision(children.budgets, revision);
  await converge(hands, podDisruptionBudgets, infs, budget, podDisruptionBudget(infs, revision), signal);
  await scale(hands, reading, revision, wanted, signal);
}

async function removeRevision({ client }: Hands, { children }: Reading, revision: string, signal: AbortSignal) {
  const remove = async <T extends KubeObject>(resource: Resource<T>, objects: readonly Stored<T>[]) => {
    const found = ofRevision(objects, revision);
    if (found === undefined) return;
    await client.delete(resource, keyOf(found), { signal, uid: found.metadata.uid, propagation: 'Background' });
  };
  await remove(horizontalPodAutoscalers, children.autoscalers);
  await remove(deployments, children.deployments);
  await remove(podDisruptionBudgets, children.budgets);
  await remove(services, children.services);
}

/**
 * Carries a plan out. The route comes first: a rollback is its one write, and nothing that may fail or take time stands
 * before it. A revision gets its pods in an earlier pass than its weight, so the order is right on the way in too.
 */
export async function apply(hands: Hands, reading: Reading, plan: Plan, signal: AbortSignal): Promise<void> {
  const { infs, children } = reading;
  await hands.traffic.apply(infs, plan, signal);
  const policy = networkPolicy(infs, hands.adminFrom);
  await converge(hands, networkPolicies, infs, children.networkPolicies[0], policy, signal);
  for (const [revision, replicas] of Object.entries(plan.replicas)) {
    const [warm, exact] = [plan.warm.includes(revision), plan.exact.includes(revision)];
    await ensureRevision(hands, reading, revision, { replicas, warm, exact }, signal);
  }
  await startTests(hands, reading, plan, signal);
  await removeTests(hands, reading, plan, signal);
  for (const revision of plan.remove) await removeRevision(hands, reading, revision, signal);
}
