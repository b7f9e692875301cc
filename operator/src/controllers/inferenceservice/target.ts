import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { type RevisionSpec, revisionOf } from '../../domain/revision.ts';
import type { StableStatus, Target } from '../../domain/rollout/world.ts';

interface VersionOf {
  readonly version: string;
}

/** The version that a service is to serve: the one it names. */
const versionOf = ({ spec: { model } }: InferenceService): VersionOf => ({ version: model.version ?? '' });

/** What a service asks its pods to run at a version, by default that of its spec, once its ModelVersion exists. */
export const wantedRevision = (
  infs: InferenceService,
  { spec: { artifact } }: ModelVersion,
  { version }: VersionOf = versionOf(infs),
): RevisionSpec => {
  const { model, predictor: asked } = infs.spec;
  const { replicas: _scaled, ...predictor } = asked;
  return { model: { name: model.name, version, digest: artifact.digest }, uri: artifact.uri, predictor };
};

const isTrue = ({ status, metadata }: ModelVersion, type: string): boolean =>
  status?.conditions?.some(
    (c) => c.type === type && c.status === 'True' && c.observedGeneration >= (metadata.generation ?? 0),
  ) ?? false;

const messageOf = ({ status }: ModelVersion, type: string): string =>
  status?.conditions?.find((c) => c.type === type)?.message ?? 'it was not looked at yet.';

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

/** Resolves spec.model: the version, whether it may serve, and why not. */
export const targetOf = (infs: InferenceService, modelVersion: ModelVersion | undefined): Target =>
  modelVersion === undefined
    ? missing(infs, versionOf(infs).version)
    : stateOf(wantedRevision(infs, modelVersion), modelVersion);

/** Where a rollback after the promotion leads, and what its pods are to run. */
export interface Previous {
  readonly target: Target;
  readonly spec?: RevisionSpec;
}

/**
 * The version before, as it ran where that is still recorded, else with the predictor of today. A ModelVersion that was
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
