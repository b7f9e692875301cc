import { LABELS } from '@slipway/crds/contract';
import { configMaps, jobs, persistentVolumeClaims, secrets } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices, type ModelVersion, modelVersions } from '../../api/kinds.ts';
import { type Grant, type Source, type Store, source } from '../../kube/contracts.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { jobSources } from '../jobs/jobWorld.ts';

/** Versions that another's change may concern. Set once the controller is built. */
export interface Concerned {
  versions: Store<ModelVersion> | undefined;
}

/** The versions that an InferenceService names: those whose servedBy, rejectedBy and files it may have a say in. */
export function versionsOf({ metadata, spec, status }: InferenceService): Key[] {
  const { stable, candidate, previous, rejected = [] } = status ?? {};
  const versions = [
    spec.model.version,
    stable?.version,
    candidate?.version,
    previous?.version,
    ...rejected.map(({ version }) => version),
  ];
  const named = [...new Set(versions)].filter((version) => version !== undefined);
  return named.map((version) => ({ namespace: metadata.namespace ?? '', name: `${spec.model.name}-${version}` }));
}

/** Index of versions by their model. */
export const BY_MODEL = 'model';
export const modelKey = ({ metadata, spec }: ModelVersion): string => `${metadata.namespace}/${spec.model}`;

/** Its files may go as newer versions come. Of a thousand versions a few do, as those of the others are gone or kept. */
const mayLoseItsFiles = ({ spec, status }: ModelVersion): boolean =>
  spec.retention !== undefined &&
  status?.deletedAt === undefined &&
  status?.everServed !== true &&
  status?.stage !== 'Staging';

/** Whether what happens to another version of the model may change what a version does or says. */
const minds = (version: ModelVersion): boolean =>
  version.status?.stage === 'Production' || mayLoseItsFiles(version) || !isJudged(version);
const isJudged = ({ status }: ModelVersion): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Verified' && is !== 'Unknown') ?? false;

const withSiblings =
  (concerned: Concerned) =>
  (mv: Stored<ModelVersion>): Key[] => {
    const siblings = concerned.versions?.by(BY_MODEL, modelKey(mv)) ?? [];
    return [keyOf(mv), ...siblings.filter(minds).map(keyOf)];
  };

export const sources = (concerned: Concerned): readonly Source[] => [
  source({
    resource: modelVersions,
    toKeys: withSiblings(concerned),
    indexes: { [BY_MODEL]: (mv) => [modelKey(mv)] },
  }),
  source({ resource: inferenceServices, toKeys: versionsOf }),
  ...jobSources(['verification', 'removal'], LABELS.modelVersion),
];

export const GRANTS: readonly Grant[] = [
  { resource: modelVersions, verbs: ['get', 'list', 'watch'] },
  { resource: modelVersions, verbs: ['patch'], subresource: 'status' },
  { resource: jobs, verbs: ['get', 'create', 'patch', 'delete'] },
  { resource: persistentVolumeClaims, verbs: ['get'] },
  { resource: secrets, verbs: ['get'] },
  { resource: configMaps, verbs: ['get'] },
];
