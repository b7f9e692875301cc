import type { Client } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { keyOf, type Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { isOwnedBy } from './jobWorld.ts';

/** A child's name is in use by an object that is not ours, or by one that is on its way out. Passes by itself or by a person's hand. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

export interface EnsureOptions {
  readonly fieldManager: string;
  readonly signal: AbortSignal;
  /** Leave it as it is where it exists: for what can't change or must not, such as claims and tokens. */
  readonly once?: boolean;
}

function refuseTaken(existing: Stored<KubeObject> | undefined, child: KubeObject, owner: Stored<KubeObject>): void {
  const what = `${child.kind} ${child.metadata.name}`;
  if (existing !== undefined && !isOwnedBy(existing, owner)) {
    throw new NameTaken(`${what} exists and does not belong to this ${owner.kind}: rename or delete it.`);
  }
  if (existing?.metadata.deletionTimestamp !== undefined) throw new NameTaken(`${what} is still being deleted.`);
}

/**
 * Makes a child that must be the operator's own work, and answers with what was made; undefined where one of that name
 * is there already. An apply would do here what it must not: leave another's object as it is, and call it ours.
 */
export async function createChild<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  child: T,
  owner: Stored<KubeObject>,
  signal: AbortSignal,
): Promise<Stored<T> | undefined> {
  const existing = await client.get(resource, keyOf(child), { signal });
  refuseTaken(existing, child, owner);
  if (existing !== undefined) return undefined;
  try {
    return await client.create(resource, child, { signal });
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

/**
 * Applies a child, but never over an object that is not ours: a user's own claim of that name stays as it is, and the
 * children of a deleted namesake, which the garbage collector is still to remove, are waited for.
 */
export async function ensureChild<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  child: T,
  owner: Stored<KubeObject>,
  { fieldManager, signal, once = false }: EnsureOptions,
): Promise<void> {
  const existing = await client.get(resource, keyOf(child), { signal });
  refuseTaken(existing, child, owner);
  if (existing === undefined || !once) await client.apply(resource, child, { fieldManager, signal });
}
