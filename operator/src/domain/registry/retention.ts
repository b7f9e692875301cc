import { digestDirectory } from '@slipway/crds';
import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { compareVersions } from '../training/version.ts';
import { currentOf } from './current.ts';
import { isGuarded } from './facts.ts';

/** What the files of a version could still be needed for. */
export interface Shelf {
  readonly version: ModelVersion;
  /** Of the same model and namespace. */
  readonly siblings: readonly ModelVersion[];
  /** Every other ModelVersion that is known, of whatever namespace. */
  readonly others: readonly ModelVersion[];
  /** Of the same namespace. */
  readonly services: readonly InferenceService[];
}

/** Something that keeps the files of a version. */
export interface KeepRule {
  readonly name: string;
  /** As the page on the registry tells it. */
  readonly keeps: string;
  /** Why they are kept. undefined: not for this. */
  readonly why: (shelf: Shelf) => string | undefined;
}

const isVerified = ({ status }: ModelVersion): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Verified' && is === 'True') ?? false;

const hasFiles = (version: ModelVersion): boolean => isVerified(version) && version.status?.deletedAt === undefined;

/** A version that counts as kept must have files, or three bad ones would cost the last good one its own. */
const newer = ({ version, siblings }: Shelf): number =>
  siblings.filter((s) => hasFiles(s) && compareVersions(s.spec.version, version.spec.version) > 0).length;

const names = ({ spec, status }: InferenceService): readonly (string | undefined)[] => [
  spec.model.version,
  status?.stable?.version,
  status?.candidate?.version,
  status?.previous?.version,
];

const user = ({ version: { spec }, services }: Shelf): InferenceService | undefined =>
  services.find((service) => service.spec.model.name === spec.model && names(service).includes(spec.version));

/** As a prefix of each other, slashes at the end aside: one folder, or one in the other. */
const overlap = (a: string, b: string): boolean => {
  const [x, y] = [a, b].map((uri) => `${uri.replace(/\/+$/, '')}/`) as [string, string];
  return x.startsWith(y) || y.startsWith(x);
};

/** A claim belongs to its namespace: the same name elsewhere is another disk. */
const mayShare = (a: ModelVersion, b: ModelVersion): boolean =>
  a.metadata.namespace === b.metadata.namespace || !b.spec.artifact.uri.startsWith('pvc://');

const sharer = ({ version, others }: Shelf): ModelVersion | undefined =>
  others.find(
    (other) =>
      other.status?.deletedAt === undefined &&
      mayShare(other, version) &&
      overlap(other.spec.artifact.uri, version.spec.artifact.uri),
  );

const comparing = ({ version, siblings }: Shelf): ModelVersion | undefined =>
  siblings.find(
    (sibling) =>
      !isVerified(sibling) &&
      (sibling.spec.provenance?.parent === version.metadata.name ||
        sibling.spec.gates?.some(({ versus }) => versus === version.spec.version)),
  );

/** As the publisher names folders. Whoever put files elsewhere has a use for them that we do not know. */
function isPublished({ spec: { artifact } }: ModelVersion): boolean {
  if (artifact.uri.startsWith('https://')) return false;
  const folder = artifact.uri.replace(/\/+$/, '').split('/').at(-1);
  return artifact.uri.startsWith('oci://') || folder === digestDirectory(artifact.digest);
}

/** Any of them is enough. Each reads what is stored and what is asked, as either may be ahead of the other. */
export const KEEP_RULES: readonly KeepRule[] = [
  {
    name: 'no-retention',
    keeps: '`spec.retention` is not set',
    why: ({ version }) => (version.spec.retention === undefined ? 'spec.retention is not set' : undefined),
  },
  {
    name: 'not-verified',
    keeps: 'its files were never verified: nobody knows whose they are',
    why: ({ version }) => (isVerified(version) ? undefined : 'its files are not verified'),
  },
  {
    name: 'not-published',
    keeps: 'Slipway did not publish them: their folder is not named by their digest, or can only be read',
    why: ({ version }) => (isPublished(version) ? undefined : 'Slipway did not publish them'),
  },
  {
    name: 'in-use',
    keeps: 'an InferenceService names it, or has it as stable, candidate or the version to go back to',
    why: (shelf) => {
      const service = user(shelf);
      return service && `infs/${service.metadata.name} uses it`;
    },
  },
  {
    name: 'ever-served',
    keeps: 'it was the stable version of some service once (`status.everServed`)',
    why: ({ version }) => (version.status?.everServed === true ? 'it was stable in a service once' : undefined),
  },
  {
    name: 'staged',
    keeps: 'it is in Staging or Production, or is asked to be',
    why: ({ version: { spec, status } }) =>
      isGuarded(spec.stage) || isGuarded(status?.stage) || status?.stage === undefined
        ? `its stage is ${status?.stage ?? 'not told yet'}${isGuarded(spec.stage) ? `, asked: ${spec.stage}` : ''}`
        : undefined,
  },
  {
    name: 'current',
    keeps: 'services with `follow: Production` serve it',
    why: ({ version, siblings }) =>
      currentOf([version, ...siblings]) === version ? 'it is current in Production' : undefined,
  },
  {
    name: 'newest',
    keeps: 'it is one of the newest `retention.newest` versions of the model that have their files',
    why: (shelf) => {
      const newest = shelf.version.spec.retention?.newest ?? Number.POSITIVE_INFINITY;
      return newer(shelf) < newest ? `it is one of the newest ${newest}` : undefined;
    },
  },
  {
    name: 'shared',
    keeps: 'another ModelVersion has its files in the same folder, or in one within the other',
    why: (shelf) => {
      const other = sharer(shelf);
      return other && `ModelVersion ${other.metadata.name} has the same files`;
    },
  },
  {
    name: 'compared',
    keeps: 'a version that is not verified yet is to be compared with it, or was retrained to follow it',
    why: (shelf) => {
      const sibling = comparing(shelf);
      return sibling && `ModelVersion ${sibling.metadata.name} is to be compared with it`;
    },
  },
];

/** Why the files of a version stay. undefined: they may go. */
export const keptBecause = (shelf: Shelf): string | undefined =>
  KEEP_RULES.map(({ why }) => why(shelf)).find((reason) => reason !== undefined);
