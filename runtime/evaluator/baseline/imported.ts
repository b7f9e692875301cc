import { BASELINE_SCHEMA, type Baseline, type Signature, type Summarised } from '@slipway/crds/contract';
import * as z from 'zod';
import { type FeaturePlace, featurePlaces } from './placement.ts';

/** Numbers come as numbers, and as texts where protobuf wrote an int64. */
const number = z.union([z.number(), z.string()]).transform(Number).pipe(z.number());
const optional = number.optional();

/** statistics.json of SageMaker Model Monitor: `kll.buckets` and `categorical.buckets` map one to one. */
const sageMakerSchema = z.object({
  dataset: z.object({ item_count: optional }).optional(),
  features: z.array(
    z.object({
      name: z.string(),
      numerical_statistics: z
        .object({
          common: z.object({ num_present: number }),
          mean: number,
          std_dev: number,
          min: number,
          max: number,
          distribution: z.object({
            kll: z.object({ buckets: z.array(z.object({ lower_bound: number, upper_bound: number, count: number })) }),
          }),
        })
        .optional(),
      string_statistics: z
        .object({
          common: z.object({ num_present: number }),
          distribution: z.object({
            categorical: z.object({ buckets: z.array(z.object({ value: z.string(), count: number })) }),
          }),
        })
        .optional(),
    }),
  ),
});

const histogram = z.object({
  type: z.string().optional(),
  buckets: z.array(
    z.object({ lowValue: number.default(0), highValue: number.default(0), sampleCount: number.default(0) }),
  ),
});

/** DatasetFeatureStatisticsList of TensorFlow Data Validation, as protobuf writes JSON: camelCase, defaults left out. */
const tfdvSchema = z.object({
  datasets: z
    .array(
      z.object({
        numExamples: optional,
        features: z.array(
          z.object({
            name: z.string().optional(),
            path: z.object({ step: z.array(z.string()) }).optional(),
            numStats: z
              .object({
                commonStats: z.object({ numNonMissing: number.default(0) }).optional(),
                mean: number.default(0),
                stdDev: number.default(0),
                min: number.default(0),
                max: number.default(0),
                histograms: z.array(histogram).default([]),
              })
              .optional(),
            stringStats: z
              .object({
                commonStats: z.object({ numNonMissing: number.default(0) }).optional(),
                topValues: z
                  .array(z.object({ value: z.string().default(''), frequency: number.default(0) }))
                  .default([]),
              })
              .optional(),
          }),
        ),
      }),
    )
    .min(1),
});

/** A feature as either of them tells it. */
interface ToldFeature {
  readonly name: string;
  readonly numeric?: Moments & { readonly buckets: readonly Bucket[] };
  readonly categories?: { readonly count: number; readonly values: readonly { value: string; count: number }[] };
}
interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}
interface Bucket {
  readonly high: number;
  readonly count: number;
}

/** snake_case of protobuf's own field names, which MessageToJson keeps if it is told to, becomes camelCase. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== 'object' || value === null) return value;
  const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [camel(key), camelCased(inner)]));
}

function told(document: unknown): { readonly rows: number; readonly features: readonly ToldFeature[] } | undefined {
  const sage = sageMakerSchema.safeParse(document);
  if (sage.success) return { rows: sage.data.dataset?.item_count ?? 0, features: sage.data.features.map(ofSageMaker) };
  const tfdv = tfdvSchema.safeParse(camelCased(document));
  const dataset = tfdv.data?.datasets[0];
  return dataset && { rows: dataset.numExamples ?? 0, features: dataset.features.map(ofTfdv) };
}

function ofSageMaker({
  name,
  numerical_statistics: n,
  string_statistics: s,
}: z.infer<typeof sageMakerSchema>['features'][number]): ToldFeature {
  if (n !== undefined) {
    const buckets = n.distribution.kll.buckets.map(({ upper_bound: high, count }) => ({ high, count }));
    const { mean, std_dev: deviation, min, max } = n;
    return { name, numeric: { count: n.common.num_present, mean, deviation, min, max, buckets } };
  }
  return s === undefined
    ? { name }
    : { name, categories: { count: s.common.num_present, values: s.distribution.categorical.buckets } };
}

type TfdvFeature = z.infer<typeof tfdvSchema>['datasets'][number]['features'][number];

function ofTfdv({ name: plain, path, numStats: n, stringStats: s }: TfdvFeature): ToldFeature {
  const name = plain ?? path?.step.join('.') ?? '';
  if (n !== undefined) {
    // Bins of equal mass see a shift anywhere; those of equal width are what is left where there are no others.
    const chosen = n.histograms.find(({ type }) => type === 'QUANTILES') ?? n.histograms[0];
    const buckets = (chosen?.buckets ?? []).map(({ highValue: high, sampleCount: count }) => ({ high, count }));
    const { mean, stdDev: deviation, min, max } = n;
    return { name, numeric: { count: n.commonStats?.numNonMissing ?? 0, mean, deviation, min, max, buckets } };
  }
  if (s === undefined) return { name };
  const values = s.topValues.map(({ value, frequency: count }) => ({ value, count }));
  return { name, categories: { count: s.commonStats?.numNonMissing ?? 0, values } };
}

/** Bins of a baseline: buckets in order, those without width joined, fractions of rows rounded. */
function binsOf(buckets: readonly Bucket[]): { edges: number[]; counts: number[] } {
  const edges: number[] = [];
  const counts: number[] = [];
  for (const { high, count } of buckets) {
    const last = edges.at(-1);
    if (last !== undefined && high <= last) counts[counts.length - 1] = (counts.at(-1) ?? 0) + Math.round(count);
    else {
      edges.push(high);
      counts.push(Math.round(count));
    }
  }
  // The highest bound is no edge between two bins: whatever is above it is counted with what is below.
  return { edges: edges.slice(0, -1), counts: counts.length === 0 ? [0] : counts };
}

function summarised(
  { name, numeric, categories }: ToldFeature,
  { tensor, index, datatype }: FeaturePlace,
): Summarised[] {
  const place = { name, tensor, index };
  if (numeric !== undefined && datatype !== 'BYTES') {
    const { count, mean, deviation, min, max, buckets } = numeric;
    return [{ ...place, kind: 'numeric', count, min, max, mean, m2: deviation ** 2 * count, bins: binsOf(buckets) }];
  }
  if (categories === undefined) return [];
  const values = categories.values.slice(0, 1023).map(({ value, count }) => ({
    value: datatype === 'BYTES' ? value : Number(value),
    count: Math.round(count),
  }));
  const listed = values.reduce((sum, { count }) => sum + count, 0);
  return [
    {
      ...place,
      kind: 'categorical',
      count: categories.count,
      categories: values,
      other: Math.max(0, categories.count - listed),
    },
  ];
}

/**
 * A baseline from the statistics that another tool made of the training data. Undefined for a document that is neither
 * SageMaker's nor TFDV's, or speaks of no input of the model.
 */
export function importedBaseline(document: unknown, signature: Signature): Baseline | undefined {
  const statistics = told(document);
  if (statistics === undefined) return undefined;
  const places = featurePlaces(signature);
  const features = statistics.features.flatMap((feature) => {
    const place = places.get(feature.name);
    return place === undefined ? [] : summarised(feature, place);
  });
  if (features.length === 0) return undefined;
  return {
    schema: BASELINE_SCHEMA,
    dataset: { name: 'train', digest: 'sha256:', rows: Math.round(statistics.rows) },
    features,
    predictions: [],
  };
}
