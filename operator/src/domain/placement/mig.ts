import type { Accelerator } from '@slipway/crds';
import type { Node } from '../../api/builtin.ts';

/**
 * How a cluster offers slices of GPUs (NVIDIA's MIG strategies). Mixed: as a resource of their own for each profile.
 * Single: as whole GPUs of nodes that are split into nothing else, told apart by `products` alone.
 */
export type MigStrategy =
  | { readonly kind: 'Mixed' }
  | { readonly kind: 'Single' /** Values of the product label, sorted. */; readonly products: readonly string[] };

export const MIXED: MigStrategy = { kind: 'Mixed' };

const PRODUCT = 'nvidia.com/gpu.product';
/** What feature discovery appends to the product of a node whose partitions are not all of one profile. */
const INVALID = '-MIG-INVALID';

/** A profile as names of resources and labels have it: they can't hold the + of 1g.10gb+me. */
const inNames = (profile: string): string => profile.replaceAll('+', '.');

export const migResource = (profile: string): string => `nvidia.com/mig-${inNames(profile)}`;

const suffixOf = (profile: string): string => `-MIG-${inNames(profile)}`;

/** A product as a node of the single strategy is labelled. */
export const migProduct = (product: string, profile: string): string =>
  product.endsWith(suffixOf(profile)) ? product : `${product}${suffixOf(profile)}`;

export const hasInvalidMig = ({ metadata }: Node): boolean => metadata.labels?.[PRODUCT]?.endsWith(INVALID) ?? false;

const offers = ({ status }: Node, resource: string): boolean => Number(status?.capacity?.[resource] ?? 0) > 0;

/**
 * The strategy to ask by, from the nodes there are of the products wanted: single where only nodes of that strategy have
 * the profile, mixed where others do too, or none, as then its resource name is the one thing an autoscaler can go by.
 * Undefined: no profile is asked for.
 */
export function migStrategy({ mig, products = [] }: Accelerator, nodes: readonly Node[]): MigStrategy | undefined {
  if (mig === undefined) return undefined;
  const named = nodes.map((node) => ({ node, product: node.metadata.labels?.[PRODUCT] ?? '' }));
  const isWanted = (product: string): boolean => products.length === 0 || products.includes(product);
  if (named.some(({ node, product }) => isWanted(product) && offers(node, migResource(mig)))) return MIXED;
  const split = products.map((product) => migProduct(product, mig));
  const found = named
    .map(({ product }) => product)
    .filter((product) => product.endsWith(suffixOf(mig)) && (split.length === 0 || split.includes(product)));
  return found.length === 0 ? MIXED : { kind: 'Single', products: [...new Set(found)].sort() };
}
