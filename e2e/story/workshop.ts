import { LABELS } from '@slipway/crds/contract';
import { type PersistentVolumeClaim, type Pod, persistentVolumeClaims, pods } from '@slipway/operator/api/builtin.ts';
import { type ModelVersion, modelVersions, type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import type { Stored } from '@slipway/operator/kube/wire.ts';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { diagnose } from '../ground/diagnose.ts';
import { openGround } from '../ground/ground.ts';
import { ensureRestrictedNamespace } from '../ground/namespaces.ts';
import { claim } from './manifests.ts';
import { FIELD_MANAGER, keyIn, type Stage } from './stage.ts';

type Job = Stored<TrainingJob>;

/** A namespace of its own in which training runs are started, met at some point and followed to their end. */
export interface Workshop {
  readonly stage: Stage;
  start(job: TrainingJob): Promise<Job>;
  change(name: string, patch: object): Promise<unknown>;
  /** The job as soon as it fits. Ends early when it has failed. */
  when(name: string, what: string, fits: (job: Job) => boolean): Promise<Job>;
  succeeded(name: string): Promise<Job>;
  podsOf(name: string): Promise<Stored<Pod>[]>;
  versionsOf(model: string): Promise<ModelVersion[]>;
  /** Runs a story, and tells what a person would look at where it went wrong. */
  told(story: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const WAIT_MS = 240_000;

export async function openWorkshop(namespace: string): Promise<Workshop> {
  const ground = await openGround();
  const { client, kubectl } = ground;
  const stage: Stage = { ground, namespace, tell: (what) => console.error(`  ${what}`) };
  await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=90s');
  await ensureRestrictedNamespace(client, namespace);
  const store = claim(namespace) as PersistentVolumeClaim;
  await client.apply(persistentVolumeClaims, store, { fieldManager: FIELD_MANAGER });
  return {
    stage,
    start: (job) => client.apply(trainingJobs, job, { fieldManager: FIELD_MANAGER }),
    change: (name, patch) => client.merge(trainingJobs, keyIn(stage, name), patch),
    when: (name, what, fits) =>
      awaitObject(client, trainingJobs, keyIn(stage, name), fits, {
        what: `TrainingJob ${name} ${what}`,
        timeoutMs: WAIT_MS,
        lost: ({ status }) => (status?.phase === 'Failed' ? JSON.stringify(status.conditions) : undefined),
      }),
    succeeded: (name) => awaitGoal(client, trainingJobs, keyIn(stage, name), 'Succeeded', WAIT_MS),
    podsOf: (name) =>
      client.list(pods, namespace, { labelSelector: `${LABELS.trainingJob}=${name},${LABELS.component}=training` }),
    versionsOf: async (model) =>
      (await client.list(modelVersions, namespace)).filter(({ spec }) => spec.model === model),
    told: async (story) => {
      try {
        await story();
      } catch (error) {
        console.error(await diagnose(ground, namespace));
        throw error;
      }
    },
    close: async () => {
      await kubectl('delete', 'namespace', namespace, '--wait=false');
      await ground.close();
    },
  };
}
