import { DIRECTORIES, ENV, type Place } from '@slipway/crds/contract';
import type { RevisionSpec } from '../domain/revision.ts';
import { placeText, placeVolumes } from './artifactSource.ts';
import { compact } from './compact.ts';
import type { Container, Volume, VolumeMount } from './pod.ts';
import { parseClaimUri } from './pvcUri.ts';
import type { RuntimeImage } from './runtimeImage.ts';

export const FETCH_CONTAINER = 'fetch';

/** How a server comes to the files of its model. */
export interface ServedArtifact {
  readonly volumes: readonly Volume[];
  /** Of the server. */
  readonly mounts: readonly VolumeMount[];
  readonly env: NonNullable<Container['env']>;
  /** Brings them into the pod before the server starts, where they do not lie on a claim. */
  readonly fetcher?: Container;
}

const MIB = 1024 * 1024;
/** Beside the files themselves: the names of folders, signatures, and what a file system takes for itself. */
const roomFor = (bytes: number): string => `${Math.ceil((bytes * 1.05) / MIB) + 64}Mi`;

/** An artifact on a claim is read where it lies: pods of older releases and of this one look the same. */
function onClaim(uri: string): ServedArtifact {
  const { claim, path } = parseClaimUri(uri);
  return {
    volumes: [{ name: 'model', persistentVolumeClaim: { claimName: claim, readOnly: true } }],
    mounts: [{ name: 'model', mountPath: DIRECTORIES.served, subPath: path, readOnly: true }],
    env: [],
  };
}

/** Any other is fetched by a container of ours, which alone sees the credentials of the store. */
function fetched({ uri, secret, bytes, model }: RevisionSpec, { image, pullPolicy }: RuntimeImage): ServedArtifact {
  const place = compact<Place>({ uri, secret });
  const { volumes, mounts } = placeVolumes([place]);
  const room = bytes === undefined ? undefined : roomFor(bytes);
  const fetcher: Container = {
    name: FETCH_CONTAINER,
    image,
    imagePullPolicy: pullPolicy,
    command: ['node', '/app/evaluator.mjs', 'fetch'],
    env: [
      { name: ENV.artifact, value: placeText(place) },
      { name: ENV.modelDigest, value: model.digest },
      { name: ENV.artifactDir, value: DIRECTORIES.served },
      ...(bytes === undefined ? [] : [{ name: ENV.maxBytes, value: String(bytes) }]),
    ],
    resources: {
      requests: { cpu: '100m', memory: '128Mi', ...(room === undefined ? {} : { 'ephemeral-storage': room }) },
    },
    volumeMounts: [{ name: 'model', mountPath: DIRECTORIES.served }, ...mounts],
  };
  return {
    volumes: [{ name: 'model', emptyDir: room === undefined ? {} : { sizeLimit: room } }, ...volumes],
    mounts: [{ name: 'model', mountPath: DIRECTORIES.served, readOnly: true }],
    env: [],
    fetcher,
  };
}

const KEY_DIRECTORY = `${DIRECTORIES.keys}/verification`;

/** The public key that the server holds the files against each time it loads them. */
function withKey(artifact: ServedArtifact, { signedBy }: RevisionSpec): ServedArtifact {
  if (signedBy === undefined) return artifact;
  const { name, key } = signedBy;
  return {
    ...artifact,
    volumes: [
      ...artifact.volumes,
      { name: 'verification-key', configMap: { name, items: [{ key, path: key }], optional: true } },
    ],
    mounts: [...artifact.mounts, { name: 'verification-key', mountPath: KEY_DIRECTORY, readOnly: true }],
    env: [...artifact.env, { name: ENV.verificationKeyFile, value: `${KEY_DIRECTORY}/${key}` }],
  };
}

export const servedArtifact = (spec: RevisionSpec, runtime: RuntimeImage): ServedArtifact =>
  withKey(spec.uri.startsWith('pvc://') ? onClaim(spec.uri) : fetched(spec, runtime), spec);
