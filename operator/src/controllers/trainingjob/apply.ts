import { configMaps, jobs, persistentVolumeClaims, pods, secrets, services } from '../../api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import type { Client } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { parametersConfigMap } from '../../render/parameters.ts';
import { publishJob } from '../../render/publishJob.ts';
import { rendezvousService } from '../../render/rendezvousService.ts';
import type { RuntimeImage } from '../../render/runtimeImage.ts';
import { trainingJobAttempt } from '../../render/trainingJob.ts';
import { trainingJobToken } from '../../render/trainingJobToken.ts';
import { workspaceClaim } from '../../render/workspace.ts';
import { type EnsureOptions, ensureChild } from '../jobs/ensureChild.ts';
import type { Action } from './world.ts';

export interface Hands {
  readonly client: Client;
  readonly newToken: () => string;
  readonly runtime: RuntimeImage;
  readonly fieldManager: string;
}

type Tj = Stored<TrainingJob>;

/** What the pods mount and are found by comes before the pods. */
async function startAttempt(hands: Hands, tj: Tj, attempt: number, options: EnsureOptions): Promise<void> {
  const { client, runtime, newToken } = hands;
  const once = { ...options, once: true };
  await Promise.all([
    ensureChild(client, persistentVolumeClaims, workspaceClaim(tj), tj, once),
    ensureChild(client, secrets, trainingJobToken(tj, newToken()), tj, once),
    ensureChild(client, configMaps, parametersConfigMap(tj), tj, options),
    ensureChild(client, services, rendezvousService(tj), tj, options),
  ]);
  await ensureChild(client, jobs, trainingJobAttempt(tj, attempt, runtime), tj, once);
}

/** Carries out one action. Each may be repeated: a pass that dies half-way is done again from the start. */
export async function act(hands: Hands, tj: Tj, action: Action, signal: AbortSignal): Promise<void> {
  const { client, fieldManager, runtime } = hands;
  const options = { fieldManager, signal };
  switch (action.kind) {
    case 'StartAttempt':
      return startAttempt(hands, tj, action.attempt, options);
    case 'StartPublish': {
      const job = publishJob(tj, action.version, action.attempt, runtime);
      return ensureChild(client, jobs, job, tj, { ...options, once: true });
    }
    case 'DeleteJob': {
      const { uid } = action.job.metadata;
      return client.delete(jobs, keyOf(action.job), { signal, uid, propagation: 'Background' });
    }
    case 'DeletePod': {
      const { uid } = action.pod.metadata;
      return client.delete(pods, keyOf(action.pod), { signal, uid });
    }
    case 'DeleteSelf':
      return client.delete(trainingJobs, keyOf(tj), { signal, uid: tj.metadata.uid, propagation: 'Background' });
    case 'CreateModelVersion':
      // Where it exists already the next pass compares digests: it may be our own, from a pass that died.
      await client.create(modelVersions, action.modelVersion, { signal }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
  }
}
