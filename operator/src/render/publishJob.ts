import { DIRECTORIES, ENV } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { type PlaceVolumes, placeOf, placeText, placeVolumes, type Visit } from './artifactSource.ts';
import { type Container, restrictedPod, type VolumeMount } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';
import { childNames, trainingAnnotations, trainingChildMeta, trainingLabels } from './trainingJobChildren.ts';
import { WORKSPACE } from './workspace.ts';

export const PUBLISH_CONTAINER = 'publish';

/** Tries of the publisher when its pod dies; a cause that it names itself ends the job before they are used. */
const RETRIES = 2;

/** Everything that the publisher is to find: the store, and the claims that data sets are links into. */
const visits = ({ spec }: TrainingJob): Visit[] => [
  { ...placeOf(spec.publish.store.replace(/\/+$/, ''), spec.publish.secretRef), access: 'publish' },
  ...(spec.datasets ?? []).map(({ uri }) => ({ uri })).filter(({ uri }) => uri.startsWith('pvc://')),
];

const SIGNING = 'signing-key';

/** The Secret of the key, mounted apart from those of stores: it may have any name. */
const signing = ({ publish: { sign } }: TrainingJob['spec']): PlaceVolumes =>
  sign === undefined
    ? { volumes: [], mounts: [] }
    : {
        volumes: [{ name: SIGNING, secret: { secretName: sign.secretRef.name, defaultMode: 0o440, optional: true } }],
        mounts: [{ name: SIGNING, mountPath: `${DIRECTORIES.keys}/signing`, readOnly: true }],
      };

/** What training read, for a baseline that it did not write itself. */
const inputMount = ({ datasets }: TrainingJob['spec']): VolumeMount[] =>
  datasets === undefined
    ? []
    : [{ name: 'workspace', mountPath: DIRECTORIES.input, subPath: WORKSPACE.input, readOnly: true }];

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
    { name: ENV.inputDir, value: DIRECTORIES.input },
    {
      name: ENV.store,
      value: placeText(placeOf(tj.spec.publish.store.replace(/\/+$/, ''), tj.spec.publish.secretRef)),
    },
    ...(tj.spec.publish.sign === undefined ? [] : [{ name: ENV.signingKeyFile, value: `${DIRECTORIES.keys}/signing` }]),
  ],
  resources: { requests: { cpu: '100m', memory: '256Mi' } },
  volumeMounts: [
    { name: 'workspace', mountPath: DIRECTORIES.output, subPath: WORKSPACE.output(attempt), readOnly: true },
    ...inputMount(tj.spec),
    ...placeVolumes(visits(tj)).mounts,
    ...signing(tj.spec).mounts,
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
            ...placeVolumes(visits(tj)).volumes,
            ...signing(tj.spec).volumes,
          ],
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}
