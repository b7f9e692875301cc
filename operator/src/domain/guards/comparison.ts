import type { Guard } from '@slipway/crds';

type Disagreement = NonNullable<Guard['disagreement']>;

const textOf = ({ compare, tolerance, k, segment }: Disagreement): string =>
  JSON.stringify([compare, tolerance, k, segment]);

/**
 * The guard whose comparison the pods make, where it is another than this one's. They compare answers in one way, that
 * of the first guard: what it counts tells nothing about another comparison.
 */
export function comparedFor(guards: readonly Guard[], asked: Disagreement): string | undefined {
  const first = guards.find(({ disagreement }) => disagreement !== undefined);
  const same = first?.disagreement === undefined || textOf(first.disagreement) === textOf(asked);
  return same ? undefined : first.name;
}
