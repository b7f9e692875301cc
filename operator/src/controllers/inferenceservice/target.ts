import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { type RevisionSpec, revisionOf } from '../../domain/revision.ts';
import type { Target } from '../../domain/rollout/world.ts';

/** What a service asks its pods to run, once its ModelVersion exists. */
export const wantedRevision = ({ spec }: InferenceService, { spec: { artifact } }: ModelVersion): RevisionSpec => {
  const { replicas: _scaled, ...predictor } = spec.predictor;
  return { model: { ...spec.model, digest: artifact.digest }, uri: artifact.uri, predictor };
};

const isTrue = ({ status, metadata }: ModelVersion, type: string): boolean =>
  status?.conditions?.some(
    (c) => c.type === type && c.status === 'True' && c.observedGeneration >= (metadata.generation ?? 0),
  ) ?? false;

const messageOf = ({ status }: ModelVersion, type: string): string =>
  status?.conditions?.find((c) => c.type === type)?.message ?? 'it was not looked at yet.';

/** Resolves spec.model: the version, whether it may serve, and why not. */
export function targetOf(infs: InferenceService, modelVersion: ModelVersion | undefined): Target {
  const { name, version } = infs.spec.model;
  const about = `ModelVersion ${name}-${version}`;
  if (modelVersion === undefined) {
    return { name, version, state: 'Missing', message: `There is no ${about} in this namespace.` };
  }
  const wanted = wantedRevision(infs, modelVersion);
  const known = { name, version, digest: wanted.model.digest, revision: revisionOf(wanted) };
  if (isTrue(modelVersion, 'Ready')) return { ...known, state: 'Ready', message: '' };
  return isTrue(modelVersion, 'Stalled')
    ? { ...known, state: 'Refused', message: `${about} may not serve: ${messageOf(modelVersion, 'Stalled')}` }
    : { ...known, state: 'Pending', message: `${about} is not Ready: ${messageOf(modelVersion, 'Ready')}` };
}
