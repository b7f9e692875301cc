import { LABELS } from '@slipway/crds/contract';
import { pods } from '@slipway/operator/api/builtin.ts';
import { type InferenceService, inferenceServices } from '@slipway/operator/api/kinds.ts';
import type { Goal } from '@slipway/operator/cli/arguments.ts';
import { awaitGoal } from '../ground/await.ts';
import { type Follower, follow, type Sighting } from './follow.ts';
import { FIELD_MANAGER, keyIn, type Stage, slipwayCommand } from './stage.ts';
import type { Traffic } from './traffic.ts';

/** One change of version, from the edit of the spec to its end. */
export interface Rollout {
  /** When the spec was edited. */
  readonly askedAt: number;
  readonly service: InferenceService;
  readonly sightings: readonly Sighting[];
  /** Uids of the candidate's pods when it first got traffic. */
  readonly firstPods: readonly string[];
}

const ROLLOUT_MS = 180_000;

/** What the operator says of its last step, once callers can feel it; undefined for changes that don't show in traffic. */
function stepText({ status }: InferenceService, told: Set<number>): string | undefined {
  const share = status?.traffic?.programmed?.candidate ?? 0;
  const step = status?.history?.findLast((h) => h.to.startsWith('Shifting'));
  if (status?.candidate === undefined || share === 0 || step === undefined || told.has(share)) return undefined;
  told.add(share);
  return step.message;
}

const hasTraffic = ({ status }: InferenceService): boolean => (status?.traffic?.programmed?.candidate ?? 0) > 0;

/** Tells each step as callers begin to feel it. `onFirstTraffic` is called once, when the candidate first gets any. */
function narrate(stage: Stage, name: string, onFirstTraffic: () => void): Follower {
  const told = new Set<number>();
  return follow(stage.ground.client, keyIn(stage, name), (service) => {
    if (hasTraffic(service) && told.size === 0) onFirstTraffic();
    const text = stepText(service, told);
    if (text !== undefined)
      stage.tell(text, told.size === 1 ? slipwayCommand(stage, 'watch', `infs/${name}`) : undefined);
  });
}

/** Uids of the pods of one version: the same before and after means that no pod was restarted. */
export async function podUids({ ground, namespace }: Stage, service: string, version: string): Promise<string[]> {
  const labelSelector = `${LABELS.inferenceService}=${service},${LABELS.version}=${version}`;
  const found = await ground.client.list(pods, namespace, { labelSelector });
  return found.map((pod) => pod.metadata.uid).sort();
}

/**
 * Asks for a version over an artifact that is served already. The same bytes under another version are the same
 * revision, so what its pods ask for changes as well.
 */
export const sameBytesAs = (version: string, cpuMillis = 60): { model: object; predictor: object } => ({
  model: { version },
  predictor: { resources: { requests: { cpu: `${cpuMillis}m`, memory: '128Mi' } } },
});

export interface RolloutOrder {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly goal: Extract<Goal, 'RolloutComplete' | 'RolledBack'>;
  /** Fields of spec.rollout to change with the version. */
  readonly policy?: object;
  /** Fields of spec.predictor to change with it: another revision of the same bytes. */
  readonly predictor?: object;
}

/** Asks for another version and waits for the end that is expected of it. Traffic may come from both until then. */
export async function rollOut(
  stage: Stage,
  traffic: Traffic,
  { name, from, to, goal, policy: rollout, predictor }: RolloutOrder,
): Promise<Rollout> {
  const { client } = stage.ground;
  const key = keyIn(stage, name);
  const askedAt = Date.now();
  traffic.allow(from, to);
  let firstPods: Promise<string[]> | undefined;
  const follower = narrate(stage, name, () => {
    firstPods ??= podUids(stage, name, to);
  });
  try {
    await client.merge(inferenceServices, key, {
      spec: { model: { version: to }, ...(rollout && { rollout }), ...(predictor && { predictor }) },
    });
    stage.tell(`Version ${to} is asked for`, `kubectl -n ${stage.namespace} get infs ${name} -w`);
    const service = await awaitGoal(client, inferenceServices, key, goal, ROLLOUT_MS);
    traffic.allow(goal === 'RolledBack' ? from : to);
    return { askedAt, service, sightings: follower.sightings, firstPods: (await firstPods) ?? [] };
  } finally {
    await follower.stop();
  }
}

/** Applies the service and waits until its first version answers. */
export async function serve(stage: Stage, manifest: InferenceService): Promise<InferenceService> {
  const { client } = stage.ground;
  await client.apply(inferenceServices, manifest, { fieldManager: FIELD_MANAGER });
  const service = await awaitGoal(client, inferenceServices, keyIn(stage, manifest), 'Ready', ROLLOUT_MS);
  const { name } = manifest.metadata;
  stage.tell(
    `InferenceService ${name} answers with ${manifest.spec.model.version}`,
    slipwayCommand(stage, 'status', `infs/${name}`),
  );
  return service;
}
