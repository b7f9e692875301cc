import type { Condition } from '@slipway/crds';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import { type Before, DRIFT_DETECTED, type Told } from '../../domain/drift/told.ts';
import type { Client } from '../../kube/client.ts';
import { mergeConditions } from '../../kube/conditions.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';

type Infs = Stored<InferenceService>;

/** What the status of a service says of drift. */
export function saidOf({ status }: Infs): Before {
  const condition = status?.conditions?.find(({ type }) => type === DRIFT_DETECTED);
  return {
    ...(condition === undefined ? {} : { condition }),
    ...(status?.drift === undefined ? {} : { drift: status.drift }),
  };
}

export interface Writing {
  readonly client: Client;
  readonly fieldManager: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Server-side apply of one condition and status.drift, which this field manager owns and nobody else writes; what it no
 * longer says, the server removes.
 */
function apply(infs: Infs, status: object, { client, fieldManager, signal }: Writing): Promise<Infs> {
  const { apiVersion, kind } = infs;
  const patch = { apiVersion, kind, metadata: keyOf(infs), status } as unknown as InferenceService;
  return client.applyStatus(inferenceServices, patch, { fieldManager, signal });
}

export function writeDrift(infs: Infs, { condition, drift }: Told, writing: Writing): Promise<Infs> {
  const stored: readonly Condition[] = [saidOf(infs).condition].filter((found) => found !== undefined);
  const conditions = mergeConditions(stored, [condition], infs.metadata.generation ?? 0, writing.now);
  return apply(infs, { conditions, ...(drift === undefined ? {} : { drift }) }, writing);
}

export const removeDrift = (infs: Infs, writing: Writing): Promise<Infs> => apply(infs, {}, writing);
