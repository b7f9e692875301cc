import { DIRECTORIES, ENV, LABELS } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { ModelVersion } from '../api/kinds.ts';
import type { OwnerReference, Stored } from '../kube/wire.ts';
import { childName, labelValue } from './childName.ts';
import { type Container, restrictedPod } from './pod.ts';
import { parseClaimUri } from './pvcUri.ts';
import type { RuntimeImage } from './runtimeImage.ts';

export const VERIFY_CONTAINER = 'verify';

/** Finished Jobs are deleted as soon as they are read; this is for those that an operator never came back to. */
const LINGER_SECONDS = 3600;

export const verificationJobName = (modelVersion: string): string => childName(modelVersion, 'verify');

const verifier = ({ spec }: ModelVersion, { image, pullPolicy }: RuntimeImage): Container => ({
  name: VERIFY_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  command: ['node', '/app/evaluator.mjs', 'verify'],
  env: [
    { name: ENV.modelName, value: spec.model },
    { name: ENV.modelVersion, value: spec.version },
    { name: ENV.modelDigest, value: spec.artifact.digest },
    { name: ENV.artifactDir, value: `${DIRECTORIES.store}/${parseClaimUri(spec.artifact.uri).path}` },
    { name: ENV.gates, value: JSON.stringify(spec.gates ?? []) },
  ],
  resources: { requests: { cpu: '100m', memory: '256Mi' } },
  volumeMounts: [{ name: 'store', mountPath: DIRECTORIES.store, readOnly: true }],
});

const labels = (name: string): Record<string, string> => ({
  [LABELS.managedBy]: 'slipway',
  [LABELS.component]: 'verification',
  [LABELS.modelVersion]: labelValue(name),
});

const ownerReference = ({ apiVersion, kind, metadata: { name, uid } }: Stored<ModelVersion>): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
});

/**
 * Re-hashes the artifact and computes its gates. The claim is mounted whole and read-only: with a subPath the kubelet
 * would make the folder where it is missing, and an artifact that is not there would look like an empty one that is.
 * No retries of its own: whether trying again can help depends on the cause, which the controller reads.
 */
export function verificationJob(mv: Stored<ModelVersion>, runtime: RuntimeImage): Job {
  const { name, namespace = '' } = mv.metadata;
  const annotations = { [LABELS.modelVersion]: name };
  const { claim } = parseClaimUri(mv.spec.artifact.uri);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: verificationJobName(name),
      namespace,
      labels: labels(name),
      annotations,
      ownerReferences: [ownerReference(mv)],
    },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: LINGER_SECONDS,
      template: {
        metadata: { labels: labels(name), annotations },
        spec: restrictedPod({
          containers: [verifier(mv, runtime)],
          volumes: [{ name: 'store', persistentVolumeClaim: { claimName: claim, readOnly: true } }],
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}
