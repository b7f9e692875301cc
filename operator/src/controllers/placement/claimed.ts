import { createHash } from 'node:crypto';
import type { Accelerator } from '@slipway/crds';
import { resourceClaimTemplates } from '../../api/devices.ts';
import { canonicalJson } from '../../domain/revision.ts';
import type { Client } from '../../kube/client.ts';
import type { Grant } from '../../kube/contracts.ts';
import type { KubeObject, ObjectMeta, Stored } from '../../kube/wire.ts';
import { childName } from '../../render/childName.ts';
import { resourceClaimTemplate } from '../../render/resourceClaimTemplate.ts';
import { type EnsureOptions, ensureChild } from '../jobs/ensureChild.ts';
import type { ClusterView } from './cluster.ts';

export const claimGrants: readonly Grant[] = [{ resource: resourceClaimTemplates, verbs: ['get', 'create', 'patch'] }];

/** What a ResourceClaim needs is not there. The message says what mends it. Passes by a person's hand. */
export class ClaimUnavailable extends Error {
  override readonly name = 'ClaimUnavailable';
}

/** Templates can't change, so one that asks for something else has another name. */
const nameFor = (owner: string, { count, products, minMemory, mig, claim }: Accelerator): string => {
  const asked = canonicalJson({ count, products, minMemory, mig, claim });
  return childName(owner, `accelerator-${createHash('sha256').update(asked).digest('hex').slice(0, 8)}`);
};

/**
 * Makes the template by which pods of `owner` claim their accelerators, and returns its name; undefined where none are
 * claimed. Throws ClaimUnavailable where the cluster can't grant such claims.
 */
export async function ensureClaimTemplate(
  { client, cluster }: { readonly client: Client; readonly cluster: ClusterView },
  owner: Stored<KubeObject>,
  accelerator: Accelerator | undefined,
  meta: (name: string) => ObjectMeta,
  { fieldManager, signal }: EnsureOptions,
): Promise<string | undefined> {
  if (accelerator?.claim === undefined) return undefined;
  const trouble = await cluster.claimTrouble(accelerator.claim.deviceClass, signal);
  if (trouble !== undefined) throw new ClaimUnavailable(trouble);
  const name = nameFor(owner.metadata.name, accelerator);
  const template = resourceClaimTemplate(meta(name), accelerator);
  await ensureChild(client, resourceClaimTemplates, template, owner, { fieldManager, signal, once: true });
  return name;
}
