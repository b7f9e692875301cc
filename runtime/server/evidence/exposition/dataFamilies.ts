import { type Baseline, type BinnedEvidence, METRICS, type Summarised } from '@slipway/crds/contract';
import { FAULTS } from '../distribution/bins.ts';
import type { Family, Write } from './family.ts';
import type { ScrapedModel } from './model.ts';

/**
 * Series that the features and predictions of one model version may have, in the order of the baseline, features
 * first: enough for 80 features of 20 bins, and no more than a metrics store takes from a pod without a thought. What
 * is left out is counted in a metric of its own and is whole in the evidence document.
 */
export const SERIES_BUDGET = 2000;

/** Names and categories come from a file: a long one is cut. */
const LONGEST_LABEL = 64;

const cut = (text: string): string => (text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL - 1)}…` : text);

/** Names as label values: cut, and still different from each other, for two series of one name void a scrape. */
function labelValues(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name, i) => {
    const value = taken.has(cut(name)) ? `${cut(name)}#${i}` : cut(name);
    taken.add(value);
    return value;
  });
}

/** Upper edge of each numeric bin, or the category; of the last, +Inf or other. */
export const binNames = (summary: Summarised): readonly string[] =>
  summary.kind === 'numeric'
    ? [...summary.bins.edges.map(String), '+Inf']
    : labelValues([...summary.categories.map(({ value }) => String(value)), 'other']);

interface Exposed {
  readonly label: string;
  readonly summary: Summarised;
  readonly binned: BinnedEvidence;
}

/** The features and predictions within the budget, and how many series the rest would have been. */
export function withinBudget({ features, predictions }: Baseline, counts: ScrapedModel['counts']) {
  let series = 0;
  let omitted = 0;
  const taken = (summaries: readonly Summarised[], binned: readonly BinnedEvidence[] | undefined): Exposed[] => {
    const labels = labelValues(summaries.map(({ name }) => name));
    return summaries.flatMap((summary, i) => {
      const own = binned?.[i];
      if (own === undefined) return [];
      const size = own.counts.length + FAULTS.length;
      if (series + size > SERIES_BUDGET) {
        omitted += size;
        return [];
      }
      series += size;
      return [{ label: labels[i] as string, summary, binned: own }];
    });
  };
  return { features: taken(features, counts.features), predictions: taken(predictions, counts.predictions), omitted };
}

/** What requests and answers hold, against the baseline. */
export const DATA_FAMILIES: readonly Family[] = [
  values(METRICS.featureValues, 'feature', 'Values of a feature, by bin: its upper edge, or the category.'),
  faults(METRICS.featureFaults, 'feature', 'Values of a feature that training did not have'),
  values(METRICS.predictionValues, 'prediction', 'Values of an output, by bin: its upper edge, or the category.'),
  faults(METRICS.predictionFaults, 'prediction', 'Values of an output that training did not have'),
  {
    name: METRICS.judgedRows,
    type: 'counter',
    help: 'Rows whose distance from the training data was judged.',
    write: ({ labels, counts }, write) => counts.outliers && write.sample(labels, counts.outliers.judged),
  },
  {
    name: METRICS.outliers,
    type: 'counter',
    help: 'Rows farther from the training data than 99.9 % of it.',
    write: ({ labels, counts }, write) => counts.outliers && write.sample(labels, counts.outliers.beyond),
  },
  {
    name: METRICS.omittedSeries,
    type: 'gauge',
    help: `Series of features and predictions left out: a model has ${SERIES_BUDGET} at most.`,
    write({ labels, counts, served: { evidence } }, write) {
      if (evidence.baseline) write.sample(labels, withinBudget(evidence.baseline, counts).omitted);
    },
  },
];

type Side = 'feature' | 'prediction';

function exposedOf({ counts, served: { evidence } }: ScrapedModel, side: Side): readonly Exposed[] {
  if (evidence.baseline === undefined) return [];
  const { features, predictions } = withinBudget(evidence.baseline, counts);
  return side === 'feature' ? features : predictions;
}

function values(name: string, side: Side, help: string): Family {
  const write = (model: ScrapedModel, to: Write) => {
    for (const { label, summary, binned } of exposedOf(model, side)) {
      binNames(summary).forEach((bin, i) => {
        to.sample({ ...model.labels, [side]: label, bin }, binned.counts[i] ?? 0);
      });
    }
  };
  return { name, type: 'counter', help, write };
}

function faults(name: string, side: Side, help: string): Family {
  const write = (model: ScrapedModel, to: Write) => {
    for (const { label, binned } of exposedOf(model, side)) {
      for (const kind of FAULTS) to.sample({ ...model.labels, [side]: label, kind }, binned[kind]);
    }
  };
  return { name, type: 'counter', help: `${help}, by kind: ${FAULTS.join(', ')}.`, write };
}
