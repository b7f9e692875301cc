import type { Accelerator } from '@slipway/crds';
import type { Node } from '../../api/builtin.ts';

/**
 * One sentence that sets the accelerator products a job wants against those the nodes have. The scheduler says only how
 * many nodes did not match; people then look at every node's labels by hand.
 */
export function productSentence(wanted: Accelerator, label: string, nodes: readonly Node[]): string {
  const counts = new Map<string, number>();
  for (const { metadata } of nodes) {
    const product = metadata.labels?.[label] ?? 'no such label';
    counts.set(product, (counts.get(product) ?? 0) + 1);
  }
  const have = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([product, n]) => `${product} (${n})`);
  return `It wants nodes whose ${label} is ${(wanted.products ?? []).join(' or ')}; the nodes have: ${have.join(', ') || 'none, there are no nodes'}.`;
}
