import type { Job } from '../../api/builtin.ts';
import { configMaps, jobs, persistentVolumeClaims, secrets, services } from '../../api/builtin.ts';
import type { TrainingJob } from '../../api/kinds.ts';
import { migStrategy } from '../../domain/placement/mig.ts';
import type { Client } from '../../kube/client.ts';
import { ApiError, isForbidden, isInvalid } from '../../kube/errors.ts';
import type { Stored } from '../../kube/wire.ts';
import { parametersConfigMap } from '../../render/parameters.ts';
import type { PlacementMore } from '../../render/placement.ts';
import { rendezvousService } from '../../render/rendezvousService.ts';
import type { RuntimeImage } from '../../render/runtimeImage.ts';
import { trainingJobAttempt } from '../../render/trainingJob.ts';
import { trainingChildMeta } from '../../render/trainingJobChildren.ts';
import { parameterClash } from '../../render/trainingJobEnv.ts';
import { trainingJobToken } from '../../render/trainingJobToken.ts';
import { workspaceClaim } from '../../render/workspace.ts';
import { type EnsureOptions, ensureChild } from '../jobs/ensureChild.ts';
import { ClaimUnavailable, ensureClaimTemplate } from '../placement/claimed.ts';
import type { ClusterView } from '../placement/cluster.ts';

/** An attempt that can't be started as things are. `isFinal`: only a new spec helps. */
export class AttemptRefused extends Error {
  override readonly name = 'AttemptRefused';
  readonly reason: string;
  readonly isFinal: boolean;
  constructor(reason: string, isFinal: boolean, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.isFinal = isFinal;
  }
}

export interface Starting {
  readonly client: Client;
  readonly cluster: ClusterView;
  readonly newToken: () => string;
  readonly runtime: RuntimeImage;
}
export interface AttemptOrder {
  readonly attempt: number;
  readonly excludedNodes: readonly string[];
  readonly now: Date;
}

type Tj = Stored<TrainingJob>;

/** Whether what the server refused is this object, and not its own trouble. Its words are the best there are. */
function refused(error: unknown, what: string, whenInvalid: string): unknown {
  if (error instanceof ClaimUnavailable) {
    return new AttemptRefused('AcceleratorClaimUnavailable', false, error.message, { cause: error });
  }
  if (!(error instanceof ApiError)) return error;
  if (isInvalid(error)) return new AttemptRefused(whenInvalid, true, `${what}: ${error.message}`, { cause: error });
  return isForbidden(error)
    ? new AttemptRefused('Forbidden', false, `${what}: ${error.message}`, { cause: error })
    : error;
}

async function placementMore(
  { client, cluster }: Starting,
  tj: Tj,
  order: AttemptOrder,
  options: EnsureOptions,
): Promise<PlacementMore> {
  const { accelerator } = tj.spec;
  const meta = (name: string) => trainingChildMeta(tj, name);
  const claimTemplate = await ensureClaimTemplate({ client, cluster }, tj, accelerator, meta, options);
  const { nodes } = accelerator?.mig === undefined ? { nodes: [] } : await cluster.look(order.now, options.signal);
  return {
    claimTemplate,
    mig: accelerator && migStrategy(accelerator, nodes),
    ...(order.excludedNodes.length === 0 ? {} : { excludedNodes: order.excludedNodes }),
  };
}

/** What the user laid over our template is tried before anything is made for it. */
async function tryTemplate(
  { client }: Starting,
  tj: Tj,
  job: Job,
  { signal, fieldManager }: EnsureOptions,
): Promise<void> {
  if (tj.spec.podTemplate === undefined) return;
  const what = 'The API server refuses spec.podTemplate, so nothing is started';
  await client.apply(jobs, job, { signal, fieldManager, dryRun: true }).catch((error: unknown) => {
    throw refused(error, what, 'PodTemplateInvalid');
  });
}

/** What the pods mount and are found by comes before the pods. Throws AttemptRefused where people must act first. */
export async function startAttempt(
  hands: Starting,
  tj: Tj,
  order: AttemptOrder,
  options: EnsureOptions,
): Promise<void> {
  const { client, runtime, newToken } = hands;
  const once = { ...options, once: true };
  const clash = parameterClash(tj.spec);
  if (clash !== undefined) throw new AttemptRefused('ParametersClash', true, clash);
  try {
    const job = trainingJobAttempt(tj, order.attempt, runtime, await placementMore(hands, tj, order, options));
    await tryTemplate(hands, tj, job, options);
    await Promise.all([
      ensureChild(client, persistentVolumeClaims, workspaceClaim(tj), tj, once),
      ensureChild(client, secrets, trainingJobToken(tj, newToken()), tj, once),
      ensureChild(client, configMaps, parametersConfigMap(tj), tj, options),
      ensureChild(client, services, rendezvousService(tj), tj, options),
    ]);
    await ensureChild(client, jobs, job, tj, once);
  } catch (error) {
    throw refused(error, `The API server refuses what attempt ${order.attempt} needs`, 'AttemptInvalid');
  }
}
