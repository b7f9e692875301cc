import type { Baseline, Summarised } from '@slipway/crds';
import type { BinnedCounts, Counts } from './counts.ts';

const binsOf = (of: Summarised): number => (of.kind === 'numeric' ? of.bins.counts.length : of.categories.length + 1);

const faultsOf = (what: string, expected: readonly Summarised[], counted: readonly BinnedCounts[]): string[] =>
  expected.flatMap((of) => {
    const found = counted.find(({ name }) => name === of.name);
    if (found === undefined) return [`the pods do not count ${what} ${of.name}`];
    const [bins, wanted] = [found.counts.length, binsOf(of)];
    return bins === wanted ? [] : [`${what} ${of.name} comes in ${bins} bins and not in ${wanted}`];
  });

/** What of a baseline the evidence does not count as the baseline has it, in one sentence; undefined: nothing. */
export function mismatchOf({ features, predictions }: Baseline, counts: Counts): string | undefined {
  const faults = [
    ...faultsOf('feature', features, counts.features),
    ...faultsOf('prediction', predictions, counts.predictions),
  ];
  const [first] = faults;
  if (first === undefined) return undefined;
  const more = faults.length === 1 ? '' : `, and ${faults.length - 1} more do not fit`;
  return `The evidence does not fit baseline.json: ${first}${more}.`;
}
