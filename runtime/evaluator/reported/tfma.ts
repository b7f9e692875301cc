import * as z from 'zod';
import type { Found } from './reported.ts';

/** Protocol buffers as JSON: 64-bit numbers and infinities are texts, wrappers may or may not be unwrapped. */
const numeric = z.union([z.number(), z.string()]).transform(Number);
const wrapped = z.union([numeric, z.looseObject({ value: numeric }).transform(({ value }) => value)]);

const valueSchema = z
  .looseObject({
    doubleValue: wrapped.optional(),
    boundedValue: z
      .looseObject({ value: wrapped, lowerBound: wrapped.optional(), upperBound: wrapped.optional() })
      .optional(),
  })
  .transform(({ doubleValue, boundedValue }) =>
    boundedValue
      ? { value: boundedValue.value, low: boundedValue.lowerBound, high: boundedValue.upperBound }
      : { value: doubleValue },
  );
const keySchema = z.looseObject({ name: z.string() });
const sliceSchema = z.looseObject({
  singleSliceKeys: z
    .array(
      z.looseObject({
        column: z.string(),
        bytesValue: z.string().optional(),
        int64Value: numeric.optional(),
        floatValue: numeric.optional(),
      }),
    )
    .default([]),
});

/** MetricsForSlice of tensorflow_model_analysis/proto/metrics_for_slice.proto. */
const metricsSchema = z.looseObject({
  sliceKey: sliceSchema.optional(),
  metricKeysAndValues: z.array(z.looseObject({ key: keySchema, value: valueSchema })),
});
/** ValidationResult of validation_result.proto: what failed, with its value. */
const validationSchema = z.looseObject({
  validationOk: z.boolean().default(false),
  metricValidationsPerSlice: z
    .array(
      z.looseObject({
        sliceKey: sliceSchema.optional(),
        failures: z.array(z.looseObject({ metricKey: keySchema, metricValue: valueSchema.optional() })).default([]),
      }),
    )
    .optional(),
});

const isValidation = (document: unknown): boolean =>
  typeof document === 'object' &&
  document !== null &&
  ('validationOk' in document || 'metricValidationsPerSlice' in document);

/** Metrics of TFMA as exported; undefined where the document is nothing of TFMA's. */
export function fromTfma(document: unknown): readonly Found[] | undefined {
  if (isValidation(document)) return fromValidation(document);
  const slices = z
    .array(metricsSchema)
    .min(1)
    .safeParse(Array.isArray(document) ? document : [document]);
  if (!slices.success) return undefined;
  return slices.data.flatMap(({ sliceKey, metricKeysAndValues }) =>
    metricKeysAndValues.flatMap(({ key, value }) => found(key.name, value, sliceKey)),
  );
}

function fromValidation(document: unknown): readonly Found[] {
  const parsed = validationSchema.safeParse(document);
  if (!parsed.success) return [];
  const { validationOk, metricValidationsPerSlice = [] } = parsed.data;
  const failures = metricValidationsPerSlice.flatMap(({ sliceKey, failures: failed }) =>
    failed.flatMap(({ metricKey, metricValue }) => (metricValue ? found(metricKey.name, metricValue, sliceKey) : [])),
  );
  return [{ name: 'validationOk', value: validationOk ? 1 : 0 }, ...failures];
}

function found(
  name: string,
  { value, low, high }: { value?: number | undefined; low?: number | undefined; high?: number | undefined },
  sliceKey: z.output<typeof sliceSchema> | undefined,
): readonly Found[] {
  if (value === undefined || !Number.isFinite(value)) return [];
  const slice = (sliceKey?.singleSliceKeys ?? [])
    .map(
      (key) =>
        `${key.column} == ${key.bytesValue === undefined ? (key.int64Value ?? key.floatValue) : Buffer.from(key.bytesValue, 'base64').toString('utf8')}`,
    )
    .join(' && ');
  const interval =
    low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high) ? { low, high } : {};
  return [{ name, value, ...interval, ...(slice === '' ? {} : { slice }) }];
}
