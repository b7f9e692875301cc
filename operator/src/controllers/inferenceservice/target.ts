import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { currentOf } from '../../domain/registry/current.ts';
import { type RevisionSpec, revisionOf } from '../../domain/revision.ts';
import type { StableStatus, Target } from '../../domain/rollout/world.ts';
import { compact } from '../../render/compact.ts';

interface VersionOf {
  readonly version: string;
}

/** The versions of the model of a service, in its namespace. */
export interface Versions {
  readonly named: (version: string) => ModelVersion | undefined;
  readonly all: () => readonly ModelVersion[];
}

/** The ModelVersion that a service is to serve: the one it names, or the one that is current where it follows. */
export const wantedVersion = (
  { spec: { model } }: InferenceService,
  { named, all }: Versions,
): ModelVersion | undefined => (model.version === undefined ? currentOf(all()) : named(model.version));

/** What a service asks its pods to run at a version, by default that of the ModelVersion. */
export const wantedRevision = (
  infs: InferenceService,
  { spec, status }: ModelVersion,
  { version }: VersionOf = spec,
): RevisionSpec => {
  const { model, predictor: asked } = infs.spec;
  const { replicas: _scaled, ...predictor } = asked;
  const { digest, uri, secretRef, signedBy } = spec.artifact;
  return compact<RevisionSpec>({
    model: { name: model.name, version, digest },
    uri,
    secret: secretRef?.name,
    signedBy: signedBy?.configMapRef,
    // Room for what a pod fetches; files on a claim are read where they lie.
    bytes: uri.startsWith('pvc://') ? undefined : status?.bytes,
    predictor,
  });
};

const isTrue = ({ status, metadata }: ModelVersion, type: string): boolean =>
  status?.conditions?.some(
    (c) => c.type === type && c.status === 'True' && c.observedGeneration >= (metadata.generation ?? 0),
  ) ?? false;

const messageOf = ({ status }: ModelVersion, type: string): string =>
  status?.conditions?.find((c) => c.type === type)?.message ?? 'it was not looked at yet.';

/** A service that follows is told how a version gets where it looks. */
const noneInProduction = ({ spec: { model } }: InferenceService): Target => ({
  name: model.name,
  version: '',
  state: 'Missing',
  message: `No version of ${model.name} is in Production: kubectl slipway promote mv/${model.name}-VERSION --stage=Production puts one there.`,
});

const missing = ({ spec: { model } }: InferenceService, version: string): Target => ({
  name: model.name,
  version,
  state: 'Missing',
  message: `There is no ModelVersion ${model.name}-${version} in this namespace.`,
});

/** A version as its pods would run, and whether its ModelVersion lets them. */
function stateOf(wanted: RevisionSpec, modelVersion: ModelVersion): Target {
  const { name, version, digest } = wanted.model;
  const about = `ModelVersion ${name}-${version}`;
  const known = { name, version, digest, revision: revisionOf(wanted) };
  if (isTrue(modelVersion, 'Ready')) return { ...known, state: 'Ready', message: '' };
  return isTrue(modelVersion, 'Stalled')
    ? { ...known, state: 'Refused', message: `${about} may not serve: ${messageOf(modelVersion, 'Stalled')}` }
    : { ...known, state: 'Pending', message: `${about} is not Ready: ${messageOf(modelVersion, 'Ready')}` };
}

const isArchived = ({ spec, status }: ModelVersion): boolean =>
  spec.stage === 'Archived' || status?.stage === 'Archived';

/** What serves goes on, with more pods or others: only new rollouts to an archived version are refused. */
const servesAlready = ({ status }: InferenceService, { spec }: ModelVersion): boolean =>
  status?.stable?.version === spec.version && status.stable.digest === spec.artifact.digest;

const archived = ({ name, version, ...known }: Target): Target => ({
  ...known,
  name,
  version,
  state: 'Refused',
  message: `ModelVersion ${name}-${version} is archived, so no new rollout to it starts: kubectl slipway promote mv/${name}-${version} --stage=Candidate takes it out.`,
});

/** Resolves spec.model: the version, whether it may serve, and why not. `modelVersion` is the wantedVersion. */
export function targetOf(infs: InferenceService, modelVersion: ModelVersion | undefined): Target {
  if (modelVersion === undefined) {
    const { version } = infs.spec.model;
    return version === undefined ? noneInProduction(infs) : missing(infs, version);
  }
  const target = stateOf(wantedRevision(infs, modelVersion), modelVersion);
  return isArchived(modelVersion) && !servesAlready(infs, modelVersion) ? archived(target) : target;
}

/** Where a rollback after the promotion leads, and what its pods are to run. */
export interface Previous {
  readonly target: Target;
  readonly spec?: RevisionSpec;
}

/**
 * The version before, archived or not, as it ran where that is still recorded, else with the predictor of today. A ModelVersion that was
 * deleted and made again with other content is not the version that served.
 */
export function previousOf(
  infs: InferenceService,
  { version, digest, revision }: StableStatus,
  modelVersion: ModelVersion | undefined,
  recorded: Readonly<Record<string, RevisionSpec>>,
): Previous {
  if (modelVersion === undefined) return { target: missing(infs, version) };
  const spec = recorded[revision] ?? wantedRevision(infs, modelVersion, { version });
  const now = modelVersion.spec.artifact.digest;
  if (now === digest) return { target: stateOf(spec, modelVersion), spec };
  const message = `ModelVersion ${spec.model.name}-${version} has digest ${now} now, and ${digest} served before: there is no way back to it.`;
  return { target: { name: spec.model.name, version, state: 'Refused', message } };
}
