import type { InferenceService, ModelVersion } from '../../api/kinds.ts';

export interface References {
  readonly servedBy: string[];
  readonly rejectedBy: string[];
}

const MOST = 64;
const ABANDONED: readonly string[] = ['RollingBack', 'RolledBack'];

const serves =
  (digest: string) =>
  ({ status }: InferenceService): boolean => {
    const { stable, candidate } = status ?? {};
    const tried = candidate !== undefined && !ABANDONED.includes(candidate.phase) ? candidate.digest : undefined;
    return stable?.digest === digest || tried === digest;
  };

const rejects =
  (digest: string) =>
  ({ status }: InferenceService): boolean =>
    status?.rejected?.some((rejection) => rejection.digest === digest) ?? false;

const names = (services: readonly InferenceService[]): string[] =>
  services
    .map(({ metadata }) => metadata.name)
    .sort()
    .slice(0, MOST);

/** Who serves a version, as stable or as a candidate still in the running, and who rolled it back. Told by digest. */
export const referencesTo = (version: ModelVersion, services: readonly InferenceService[]): References => ({
  servedBy: names(services.filter(serves(version.spec.artifact.digest))),
  rejectedBy: names(services.filter(rejects(version.spec.artifact.digest))),
});
