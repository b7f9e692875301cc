import { type DatasetOrder, DIRECTORIES, ENV } from '@slipway/crds/contract';
import type { TrainingJob } from '../api/kinds.ts';
import { parseDuration } from '../domain/duration.ts';
import type { Stored } from '../kube/wire.ts';
import { type PlaceVolumes, placeVolumes } from './artifactSource.ts';
import { compact } from './compact.ts';
import type { Container, VolumeMount } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';
import { childNames } from './trainingJobChildren.ts';
import { WORKSPACE } from './workspace.ts';

export const PREPARE_CONTAINER = 'prepare';

type Tj = Stored<TrainingJob>;
type EnvVar = NonNullable<Container['env']>[number];

const orders = ({ spec }: Tj): DatasetOrder[] =>
  (spec.datasets ?? []).map(({ name, uri, digest, secretRef }) =>
    compact<DatasetOrder>({ name, uri, digest, secret: secretRef?.name }),
  );

const INPUT: VolumeMount = { name: 'workspace', mountPath: DIRECTORIES.input, subPath: WORKSPACE.input };

/** A queue that takes a Job back lets the same Job go again: its pods find what those before them left. */
const mayComeAgain = ({ spec }: Tj): boolean => spec.queue !== undefined;

/**
 * Whether a pod of this attempt has anything to prepare: data sets, others to meet, or the checkpoint of pods before it
 * to find. One pod that starts from nothing starts at once.
 */
export const needsPrepare = (tj: Tj, attempt: number): boolean =>
  tj.spec.nodes > 1 || orders(tj).length > 0 || attempt > 0 || mayComeAgain(tj);

/** Volumes of the claims that data sets lie in, and of the Secrets that open their stores. */
export const datasetVolumes = (tj: Tj): PlaceVolumes['volumes'] => placeVolumes(orders(tj)).volumes;

/** What the trainer sees of its data sets: the folder of inputs, and the claims that some are links into. No Secret. */
export const inputMounts = (tj: Tj): VolumeMount[] => {
  if (orders(tj).length === 0) return [];
  const claims = placeVolumes(orders(tj).map(({ uri }) => ({ uri }))).mounts;
  return [{ ...INPUT, readOnly: true }, ...claims];
};

/** `{}` stands for the rank, which no user's name can hold. */
const peersText = ({ metadata, spec }: Tj, attempt: number): string => {
  const names = childNames(metadata.name);
  return JSON.stringify({
    names: `${names.attempt(attempt)}-{}.${names.rendezvous}.${metadata.namespace}.svc`,
    count: spec.nodes,
  });
};

const prepareEnv = (tj: Tj, attempt: number): EnvVar[] => [
  ...(orders(tj).length === 0 ? [] : [{ name: ENV.datasets, value: JSON.stringify(orders(tj)) }]),
  ...(tj.spec.nodes === 1 ? [] : [{ name: ENV.peers, value: peersText(tj, attempt) }]),
  { name: ENV.startTimeout, value: String(parseDuration(tj.spec.failure.startTimeout) / 1000) },
  { name: ENV.inputDir, value: DIRECTORIES.input },
  { name: ENV.checkpointDir, value: DIRECTORIES.checkpoints },
  { name: ENV.statusDir, value: DIRECTORIES.status },
  ...(mayComeAgain(tj) ? [{ name: ENV.outputDir, value: DIRECTORIES.output }] : []),
];

/**
 * Runs before the trainer and after the agent: fetches the data sets, links checkpoints/latest, waits for the other pods.
 * In a queue it also empties the output folder, so that no file of pods that were taken back is ever published.
 * Its termination message is a PreparedReport, or the cause (Rendezvous, DatasetMissing, …).
 */
export const prepareContainer = (tj: Tj, attempt: number, { image, pullPolicy }: RuntimeImage): Container => ({
  name: PREPARE_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  command: ['node', '/app/prepare.mjs'],
  env: prepareEnv(tj, attempt),
  resources: { requests: { cpu: '100m', memory: '128Mi' } },
  volumeMounts: [
    { name: 'workspace', mountPath: DIRECTORIES.checkpoints, subPath: WORKSPACE.checkpoints },
    ...(mayComeAgain(tj)
      ? [{ name: 'workspace', mountPath: DIRECTORIES.output, subPath: WORKSPACE.output(attempt) }]
      : []),
    ...(orders(tj).length === 0 ? [] : [INPUT, ...placeVolumes(orders(tj)).mounts]),
    { name: 'status', mountPath: DIRECTORIES.status },
  ],
});
