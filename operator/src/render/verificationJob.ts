import { DIRECTORIES, ENV, LABELS, type Rival } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { ModelVersion } from '../api/kinds.ts';
import type { OwnerReference, Stored } from '../kube/wire.ts';
import { type PlaceVolumes, placeOf, placeText, placeVolumes, type Visit } from './artifactSource.ts';
import { childName, labelValue } from './childName.ts';
import { type Container, restrictedPod } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';

export const VERIFY_CONTAINER = 'verify';

/** Finished Jobs are deleted as soon as they are read; this is for those that an operator never came back to. */
const LINGER_SECONDS = 3600;

const SCRATCH = 'scratch';
const VERIFICATION_KEY_DIRECTORY = `${DIRECTORIES.keys}/verification`;

export const verificationJobName = (modelVersion: string): string => childName(modelVersion, 'verify');

/** What a verification compares with, and whether it may leave its reports beside the artifact. */
export interface VerificationOrder {
  readonly rivals?: readonly Rival[];
  /** false: the claim can only be read; a folder of reports could not even be mounted. */
  readonly reports?: boolean;
}

const visits = ({ spec: { artifact } }: ModelVersion, { rivals = [], reports = true }: VerificationOrder): Visit[] => [
  { ...placeOf(artifact.uri, artifact.secretRef), access: reports ? 'reports' : 'read' },
  ...rivals,
];

const KEY = 'verification-key';

/** The public key of `signedBy`, named by the file that the verifier is told. */
const key = ({ spec: { artifact } }: ModelVersion): PlaceVolumes => {
  const ref = artifact.signedBy?.configMapRef;
  if (ref === undefined) return { volumes: [], mounts: [] };
  const items = [{ key: ref.key, path: ref.key }];
  return {
    volumes: [{ name: KEY, configMap: { name: ref.name, items, optional: true } }],
    mounts: [{ name: KEY, mountPath: VERIFICATION_KEY_DIRECTORY, readOnly: true }],
  };
};

const keyEnv = ({ spec: { artifact } }: ModelVersion): NonNullable<Container['env']> =>
  artifact.signedBy === undefined
    ? []
    : [{ name: ENV.verificationKeyFile, value: `${VERIFICATION_KEY_DIRECTORY}/${artifact.signedBy.configMapRef.key}` }];

const verifier = (mv: ModelVersion, { image, pullPolicy }: RuntimeImage, order: VerificationOrder): Container => ({
  name: VERIFY_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  command: ['node', '/app/evaluator.mjs', 'verify'],
  env: [
    { name: ENV.modelName, value: mv.spec.model },
    { name: ENV.modelVersion, value: mv.spec.version },
    { name: ENV.modelDigest, value: mv.spec.artifact.digest },
    { name: ENV.artifact, value: placeText(placeOf(mv.spec.artifact.uri, mv.spec.artifact.secretRef)) },
    { name: ENV.gates, value: JSON.stringify(mv.spec.gates ?? []) },
    { name: ENV.rivals, value: JSON.stringify(order.rivals ?? []) },
    { name: ENV.modelVersionSpec, value: JSON.stringify(mv.spec) },
    ...keyEnv(mv),
  ],
  resources: { requests: { cpu: '100m', memory: '256Mi' } },
  volumeMounts: [
    ...placeVolumes(visits(mv, order)).mounts,
    { name: SCRATCH, mountPath: DIRECTORIES.scratch },
    ...key(mv).mounts,
  ],
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
 * Re-hashes the artifact and computes its gates, against the rivals that they name. Of a claim only the folder of
 * reports can be written.
 * No retries of its own: whether trying again can help depends on the cause, which the controller reads.
 */
export function verificationJob(
  mv: Stored<ModelVersion>,
  runtime: RuntimeImage,
  rivals: readonly Rival[] = [],
  reports = true,
): Job {
  const order = { rivals, reports };
  const { name, namespace = '' } = mv.metadata;
  const annotations = { [LABELS.modelVersion]: name };
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
          containers: [verifier(mv, runtime, order)],
          volumes: [...placeVolumes(visits(mv, order)).volumes, { name: SCRATCH, emptyDir: {} }, ...key(mv).volumes],
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}
