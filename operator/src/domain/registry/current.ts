import type { ModelVersionStatus } from '@slipway/crds';
import type { ModelVersion } from '../../api/kinds.ts';
import { compareVersions } from '../training/version.ts';

type Registered = Pick<ModelVersionStatus, 'stage' | 'history'>;

/** When a version came to the stage it is in. Empty: its history does not say. */
export const since = ({ stage, history = [] }: Registered): string =>
  history.findLast(({ from, to }) => to === stage && from !== to)?.at ?? '';

const isInProduction = ({ status, metadata }: ModelVersion): boolean =>
  status?.stage === 'Production' && metadata.deletionTimestamp === undefined;

const order = (a: ModelVersion, b: ModelVersion): number => {
  const [x, y] = [since(a.status ?? {}), since(b.status ?? {})];
  return x === y ? compareVersions(a.spec.version, b.spec.version) : x < y ? -1 : 1;
};

/**
 * Of the versions of one model and namespace, that in Production which came there last; of two that came in the same
 * second, the newer. It is found anew from the stages each time, and never read from status.current: between two writes
 * two versions, or none, may call themselves current.
 */
export const currentOf = <V extends ModelVersion>(versions: readonly V[]): V | undefined =>
  versions.filter(isInProduction).sort(order).at(-1);
