import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '@slipway/crds';
import type { Client } from '../../kube/client.ts';
import { mergeConditions, type Observation } from '../../kube/conditions.ts';
import type { Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';

interface WithStatus extends KubeObject {
  status?: { observedGeneration?: number | undefined; conditions?: Condition[] | undefined };
}
type Bare<T extends WithStatus> = Omit<NonNullable<T['status']>, 'conditions' | 'observedGeneration'>;

export interface StatusWrite<T extends WithStatus> {
  readonly status: Bare<T>;
  readonly observed: readonly Observation[];
  readonly now: Date;
  readonly fieldManager: string;
  readonly signal: AbortSignal;
}

/** Writes the whole status of an object once, or not at all when nothing changed. The object as written, or undefined. */
export async function writeStatus<T extends WithStatus>(
  client: Client,
  resource: Resource<T>,
  object: Stored<T>,
  { status, observed, now, fieldManager, signal }: StatusWrite<T>,
): Promise<Stored<T> | undefined> {
  const { name, namespace = '', generation = 0 } = object.metadata;
  const conditions = mergeConditions(object.status?.conditions ?? [], observed, generation, now);
  const next = { ...status, observedGeneration: generation, conditions };
  if (isDeepStrictEqual(next, object.status)) return undefined;
  const { apiVersion, kind } = object;
  const patch = { apiVersion, kind, metadata: { name, namespace }, status: next } as unknown as T;
  return client.applyStatus(resource, patch, { fieldManager, signal });
}
