import { jobs, pods } from '../../api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { publishJob } from '../../render/publishJob.ts';
import { ensureChild } from '../jobs/ensureChild.ts';
import { type Starting, startAttempt } from './startAttempt.ts';
import type { Action } from './world.ts';

export interface Hands extends Starting {
  readonly fieldManager: string;
}

type Tj = Stored<TrainingJob>;

/** Carries out one action. Each may be repeated: a pass that dies half-way is done again from the start. */
export async function act(hands: Hands, tj: Tj, action: Action, signal: AbortSignal): Promise<void> {
  const { client, fieldManager, runtime } = hands;
  const options = { fieldManager, signal };
  switch (action.kind) {
    case 'StartAttempt':
      return startAttempt(hands, tj, action, options);
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
