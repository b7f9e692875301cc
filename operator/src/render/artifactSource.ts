import { DIRECTORIES, type Place, REPORTS_SUFFIX } from '@slipway/crds/contract';
import { compact } from './compact.ts';
import type { Volume, VolumeMount } from './pod.ts';

/** What a pod does at a place of files. Nothing is writable that need not be. */
export type Access =
  /** Reads it. */
  | 'read'
  /** Reads an artifact, and writes the folder of reports beside it. */
  | 'reports'
  /** Publishes into a store: reads and writes the folder that it is. */
  | 'publish'
  /** Takes an artifact away: writes the folder that it lies in. */
  | 'remove';

export interface Visit extends Place {
  readonly access?: Access;
}

export interface PlaceVolumes {
  readonly volumes: Volume[];
  readonly mounts: VolumeMount[];
}

interface ClaimPath {
  readonly claim: string;
  /** Without a slash at either end; empty: the claim itself. */
  readonly path: string;
}

const isClaim = ({ uri }: Place): boolean => uri.startsWith('pvc://');

/** pvc://<claim>/<path>; the API server has checked the pattern and refused "..". */
function claimPath(uri: string): ClaimPath {
  const [claim = '', ...folders] = uri.replace('pvc://', '').replace(/\/+$/, '').split('/');
  return { claim, path: folders.join('/') };
}

/** Folder of the claim that a visit writes; undefined: none. Empty: the whole claim. */
function writtenFolder({ uri, access = 'read' }: Visit): string | undefined {
  const { path } = claimPath(uri);
  if (access === 'publish') return path;
  if (access === 'reports') return `${path}${REPORTS_SUFFIX}`;
  if (access === 'remove') return path.split('/').slice(0, -1).join('/');
  return undefined;
}

/** A claim is mounted whole where it is read: with a subPath the kubelet would make the folder that is missing, and an
 * artifact that is not there would look like an empty one that is. */
const needsWhole = ({ access = 'read' }: Visit): boolean => access === 'read' || access === 'reports';

function claimMounts(name: string, claim: string, visits: readonly Visit[]): VolumeMount[] {
  const at = (path: string) => [DIRECTORIES.claims, claim, path].filter((part) => part !== '').join('/');
  const written = [...new Set(visits.map(writtenFolder).filter((path) => path !== undefined))].sort();
  if (written.includes('')) return [{ name, mountPath: at('') }];
  const whole = visits.some(needsWhole) ? [{ name, mountPath: at(''), readOnly: true }] : [];
  return [...whole, ...written.map((path) => ({ name, mountPath: at(path), subPath: path }))];
}

/**
 * Volumes and mounts of everything that a pod is to find at some places: each claim at DIRECTORIES.claims/<claim>,
 * each Secret of a store at DIRECTORIES.credentials/<name>, each once however often it is named. Read-only but for the
 * folders that a visit writes. The same places give the same names, so containers of one pod may share the volumes.
 */
export function placeVolumes(visits: readonly Visit[]): PlaceVolumes {
  const claims = [...new Set(visits.filter(isClaim).map(({ uri }) => claimPath(uri).claim))];
  const secrets = [...new Set(visits.map(({ secret }) => secret).filter((secret) => secret !== undefined))];
  const ofClaim = claims.map((claim, index) => {
    const name = `claim-${index}`;
    const mounts = claimMounts(
      name,
      claim,
      visits.filter((visit) => isClaim(visit) && claimPath(visit.uri).claim === claim),
    );
    const readOnly = mounts.every((mount) => mount.readOnly === true) ? true : undefined;
    return { volume: { name, persistentVolumeClaim: compact({ claimName: claim, readOnly }) } as Volume, mounts };
  });
  const ofSecret = secrets.map((secret, index) => credentialsVolume(`credentials-${index}`, secret));
  const all = [...ofClaim, ...ofSecret];
  return { volumes: all.map(({ volume }) => volume), mounts: all.flatMap(({ mounts }) => mounts) };
}

/**
 * Optional, as a pod whose Secret is missing waits without end and says so in an Event alone; our containers end with
 * the name of the Secret instead, which a condition then shows.
 */
const credentialsVolume = (name: string, secret: string) => ({
  volume: { name, secret: { secretName: secret, defaultMode: 0o440, optional: true } },
  mounts: [{ name, mountPath: `${DIRECTORIES.credentials}/${secret}`, readOnly: true }],
});

/** The names that must exist in the namespace before such a pod can start. */
export const placeNeeds = (places: readonly Place[]): { readonly claims: string[]; readonly secrets: string[] } => ({
  claims: [...new Set(places.filter(isClaim).map(({ uri }) => claimPath(uri).claim))],
  secrets: [...new Set(places.map(({ secret }) => secret).filter((secret) => secret !== undefined))],
});

/** A place as the runtime reads it from its environment. */
export const placeText = ({ uri, secret }: Place): string => JSON.stringify(compact<Place>({ uri, secret }));

/** A spec's `uri` and `secretRef` as a place. */
export const placeOf = (uri: string, secretRef: { readonly name: string } | undefined): Place =>
  compact<Place>({ uri, secret: secretRef?.name });
