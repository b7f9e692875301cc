import type { Condition } from '@slipway/crds';
import type { InferenceService } from '../../api/kinds.ts';
import { type Before, DRIFT_DETECTED, type Told } from '../../domain/drift/told.ts';
import { mergeConditions } from '../../kube/conditions.ts';
import type { Stored } from '../../kube/wire.ts';
import { applyPart, type Writing } from '../partOfStatus.ts';

type Infs = Stored<InferenceService>;

/** What the status of a service says of drift. */
export function saidOf({ status }: Infs): Before {
  const condition = status?.conditions?.find(({ type }) => type === DRIFT_DETECTED);
  return {
    ...(condition === undefined ? {} : { condition }),
    ...(status?.drift === undefined ? {} : { drift: status.drift }),
  };
}

export function writeDrift(infs: Infs, { condition, drift }: Told, writing: Writing): Promise<Infs> {
  const stored: readonly Condition[] = [saidOf(infs).condition].filter((found) => found !== undefined);
  const conditions = mergeConditions(stored, [condition], infs.metadata.generation ?? 0, writing.now);
  return applyPart(infs, { conditions, ...(drift === undefined ? {} : { drift }) }, writing);
}

export const removeDrift = (infs: Infs, writing: Writing): Promise<Infs> => applyPart(infs, {}, writing);
