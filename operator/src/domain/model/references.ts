import type { InferenceService, ModelVersion } from '../../api/kinds.ts';

export interface References {
  readonly servedBy: string[];
  readonly rejectedBy: string[];
  /** Whether some service has it as stable, or had it before the present one. */
  readonly stable: boolean;
}

const MOST = 64;
const ABANDONED: readonly string[] = ['RollingBack', 'RolledBack'];

/** Equal files may bear two versions, and one version may be made anew from other files: both must agree. */
const isOf =
  ({ spec }: ModelVersion) =>
  (one: { readonly version: string; readonly digest: string } | undefined): boolean =>
    one?.version === spec.version && one.digest === spec.artifact.digest;

const serves =
  (version: ModelVersion) =>
  ({ status }: InferenceService): boolean => {
    const { stable, candidate } = status ?? {};
    const tried = candidate !== undefined && !ABANDONED.includes(candidate.phase) ? candidate : undefined;
    return [stable, tried].some(isOf(version));
  };

/** Whether it is, or was before the present one, what a service answers with. */
const servesFully =
  (version: ModelVersion) =>
  ({ status }: InferenceService): boolean =>
    [status?.stable, status?.previous].some(isOf(version));

const rejects =
  (version: ModelVersion) =>
  ({ status }: InferenceService): boolean =>
    status?.rejected?.some(isOf(version)) ?? false;

const names = (services: readonly InferenceService[]): string[] =>
  services
    .map(({ metadata }) => metadata.name)
    .sort()
    .slice(0, MOST);

/** Who serves a version, as stable or as a candidate still in the running, and who rolled it back. */
export function referencesTo(version: ModelVersion, services: readonly InferenceService[]): References {
  const ofModel = services.filter(({ spec }) => spec.model.name === version.spec.model);
  return {
    servedBy: names(ofModel.filter(serves(version))),
    rejectedBy: names(ofModel.filter(rejects(version))),
    stable: ofModel.some(servesFully(version)),
  };
}

const MOST_NAMED = 3;

/** A list of names as `kubectl get` has room for it: a, b, c and 2 more. */
export function namesText(all: readonly string[]): string {
  const more = all.length - MOST_NAMED;
  const named = all.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}
