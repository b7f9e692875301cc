import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '@slipway/crds';
import { wellFormed } from '../../domain/wellFormed.ts';
import type { Client } from '../../kube/client.ts';
import { mergeConditions, type Observation } from '../../kube/conditions.ts';
import type { Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';

interface WithStatus extends KubeObject {
  status?: { observedGeneration?: number | undefined; conditions?: Condition[] | undefined };
}
type Bare<T extends WithStatus> = Omit<NonNullable<T['status']>, 'conditions' | 'observedGeneration'>;

/** Parts of a status that another controller writes. They are neither applied nor compared: each keeps its own. */
export interface Others {
  readonly conditions: readonly string[];
  readonly fields: readonly string[];
}
const NOBODY: Others = { conditions: [], fields: [] };

export interface StatusWrite<T extends WithStatus> {
  readonly status: Bare<T>;
  readonly observed: readonly Observation[];
  readonly now: Date;
  readonly fieldManager: string;
  readonly others?: Others;
  readonly signal: AbortSignal;
}

const ownOf = <S extends { conditions?: Condition[] | undefined }>(status: S, { conditions, fields }: Others): S => {
  const kept = Object.entries(status).filter(([field]) => !fields.includes(field));
  const own = Object.fromEntries(kept) as S;
  if (own.conditions === undefined) return own;
  return { ...own, conditions: own.conditions.filter(({ type }) => !conditions.includes(type)) };
};

/**
 * Writes the whole status of an object once, or not at all when nothing changed; the whole but for what is others'.
 * The object as written, or undefined.
 */
export async function writeStatus<T extends WithStatus>(
  client: Client,
  resource: Resource<T>,
  object: Stored<T>,
  { status, observed, now, fieldManager, others = NOBODY, signal }: StatusWrite<T>,
): Promise<Stored<T> | undefined> {
  const { name, namespace = '', generation = 0 } = object.metadata;
  const conditions = mergeConditions(object.status?.conditions ?? [], observed, generation, now);
  const next = wellFormed(ownOf({ ...status, observedGeneration: generation, conditions }, others));
  if (isDeepStrictEqual(next, object.status && ownOf(object.status, others))) return undefined;
  const { apiVersion, kind } = object;
  const patch = { apiVersion, kind, metadata: { name, namespace }, status: next } as unknown as T;
  return client.applyStatus(resource, patch, { fieldManager, signal });
}
