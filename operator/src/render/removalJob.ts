import { ENV, LABELS } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { ModelVersion } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { type PlaceVolumes, placeOf, placeText, placeVolumes } from './artifactSource.ts';
import { childName, labelValue } from './childName.ts';
import { type Container, restrictedPod } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';

export const REMOVE_CONTAINER = 'remove';

/** Finished Jobs are deleted as soon as they are read; this is for those that an operator never came back to. */
const LINGER_SECONDS = 3600;

export const removalJobName = (modelVersion: string): string => childName(modelVersion, 'remove');

const remover = ({ spec }: ModelVersion, { image, pullPolicy }: RuntimeImage, { mounts }: PlaceVolumes): Container => ({
  name: REMOVE_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  command: ['node', '/app/evaluator.mjs', 'remove'],
  env: [
    { name: ENV.modelName, value: spec.model },
    { name: ENV.modelVersion, value: spec.version },
    { name: ENV.modelDigest, value: spec.artifact.digest },
    { name: ENV.artifact, value: placeText(placeOf(spec.artifact.uri, spec.artifact.secretRef)) },
  ],
  resources: { requests: { cpu: '50m', memory: '128Mi' } },
  volumeMounts: mounts,
});

const labels = (name: string): Record<string, string> => ({
  [LABELS.managedBy]: 'slipway',
  [LABELS.component]: 'removal',
  [LABELS.modelVersion]: labelValue(name),
});

/**
 * Deletes the files of a version, and nothing else of its store. Like the verification it has no retries of its own: the
 * controller reads the cause, and tries again later.
 */
export function removalJob(mv: Stored<ModelVersion>, runtime: RuntimeImage): Job {
  const { apiVersion, kind, metadata } = mv;
  const { name, namespace = '', uid } = metadata;
  const annotations = { [LABELS.modelVersion]: name };
  const { uri, secretRef } = mv.spec.artifact;
  const found = placeVolumes([{ ...placeOf(uri, secretRef), access: 'remove' }]);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: removalJobName(name),
      namespace,
      labels: labels(name),
      annotations,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: LINGER_SECONDS,
      template: {
        metadata: { labels: labels(name), annotations },
        spec: restrictedPod({
          containers: [remover(mv, runtime, found)],
          volumes: found.volumes,
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}
