import { LABELS } from '@slipway/crds/contract';
import { type Pod, pods } from '@slipway/operator/api/builtin.ts';
import { type ModelVersion, modelVersions, type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { FIELD_MANAGER, keyIn, type Stage, slipwayCommand } from './stage.ts';

/** A training run from its manifest to a version that may serve. */
export interface Trained {
  readonly job: TrainingJob;
  readonly version: ModelVersion;
  /** The pod that trained, while it was running. */
  readonly pod: Pod | undefined;
}

const TRAINING_MS = 240_000;
const GATES_MS = 60_000;

async function trainingPod({ ground, namespace }: Stage, job: string): Promise<Pod | undefined> {
  const [pod] = await ground.client.list(pods, namespace, { labelSelector: `${LABELS.trainingJob}=${job}` });
  return pod;
}

function placementText(pod: Pod | undefined): string {
  const limits = pod?.spec?.containers.map((c) => c.resources?.limits ?? {}) ?? [];
  const accelerators = limits.flatMap((l) => Object.entries(l).filter(([name]) => name.includes('/')));
  const asked = accelerators.map(([name, count]) => `${count} ${name}`).join(', ') || 'no accelerator';
  return `on node ${pod?.spec?.nodeName ?? '?'} with ${asked}`;
}

const gateText = ({ status }: ModelVersion): string =>
  (status?.gates ?? []).map((g) => `${g.name} ${g.value} [${g.low}, ${g.high}] against ${g.limit}`).join('; ');

/** Applies the job and waits until its ModelVersion has passed its gates. */
export async function train(stage: Stage, manifest: TrainingJob): Promise<Trained> {
  const { ground, namespace, tell } = stage;
  const { name } = manifest.metadata;
  const key = keyIn(stage, manifest);
  await ground.client.apply(trainingJobs, manifest, { fieldManager: FIELD_MANAGER });
  await awaitObject(ground.client, trainingJobs, key, (j) => !['', 'Pending'].includes(j.status?.phase ?? ''), {
    what: `TrainingJob ${name} to start`,
    timeoutMs: TRAINING_MS,
  });
  const pod = await trainingPod(stage, name);
  tell(`TrainingJob ${name} runs ${placementText(pod)}`, slipwayCommand(stage, 'status', `tj/${name}`));
  const job = await awaitGoal(ground.client, trainingJobs, key, 'Succeeded', TRAINING_MS);
  const made = job.status?.modelVersion ?? '';
  tell(`TrainingJob ${name} published ModelVersion ${made}`, `kubectl -n ${namespace} get tj,mv`);
  const version = await awaitGoal(ground.client, modelVersions, keyIn(stage, made), 'Ready', GATES_MS);
  tell(`ModelVersion ${made} passed its gates: ${gateText(version)}`, slipwayCommand(stage, 'status', `mv/${made}`));
  return { job, version, pod };
}
