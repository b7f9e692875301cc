import { DIRECTORIES, ENV } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { type Container, restrictedPod, type VolumeMount } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';
import { childNames, trainingAnnotations, trainingChildMeta, trainingLabels } from './trainingJobChildren.ts';
import { WORKSPACE } from './workspace.ts';

export const PUBLISH_CONTAINER = 'publish';

/** Tries of the publisher when its pod dies; a cause that it names itself ends the job before they are used. */
const RETRIES = 2;

interface Store {
  readonly claim: string;
  readonly folder: string | undefined;
}

/** pvc://<claim>[/<folder>]; the API server has checked the pattern and refused "..". */
const parseStore = (uri: string): Store => {
  const [claim = '', ...folders] = uri.replace('pvc://', '').replace(/\/+$/, '').split('/');
  return { claim, folder: folders.length === 0 ? undefined : folders.join('/') };
};

const storeMount = ({ folder }: Store): VolumeMount => ({
  name: 'store',
  mountPath: DIRECTORIES.store,
  ...(folder === undefined ? {} : { subPath: folder }),
});

const publisher = (
  tj: Stored<TrainingJob>,
  version: string,
  attempt: number,
  { image, pullPolicy }: RuntimeImage,
): Container => ({
  name: PUBLISH_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  command: ['node', '/app/evaluator.mjs', 'publish'],
  env: [
    { name: ENV.modelName, value: tj.spec.model.name },
    { name: ENV.modelVersion, value: version },
    { name: ENV.outputDir, value: DIRECTORIES.output },
    { name: ENV.storeDir, value: DIRECTORIES.store },
    { name: ENV.storeUri, value: tj.spec.publish.store.replace(/\/+$/, '') },
  ],
  resources: { requests: { cpu: '100m', memory: '256Mi' } },
  volumeMounts: [
    { name: 'workspace', mountPath: DIRECTORIES.output, subPath: WORKSPACE.output(attempt), readOnly: true },
    storeMount(parseStore(tj.spec.publish.store)),
  ],
});

/**
 * Moves the output of the attempt that succeeded into the store. A Job of its own, so that no accelerator waits for a
 * copy, and the training image needs neither access to the store nor any program of ours.
 */
export function publishJob(tj: Stored<TrainingJob>, version: string, attempt: number, runtime: RuntimeImage): Job {
  const { name } = tj.metadata;
  const names = childNames(name);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: trainingChildMeta(tj, names.publish, 'publish'),
    spec: {
      backoffLimit: RETRIES,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
      template: {
        metadata: { labels: trainingLabels(name, 'publish'), annotations: trainingAnnotations(name) },
        spec: restrictedPod({
          containers: [publisher(tj, version, attempt, runtime)],
          volumes: [
            { name: 'workspace', persistentVolumeClaim: { claimName: names.workspace } },
            { name: 'store', persistentVolumeClaim: { claimName: parseStore(tj.spec.publish.store).claim } },
          ],
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}
