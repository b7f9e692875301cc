import * as z from 'zod';

/** One series of an instant vector. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * What a Prometheus said. Refused: the query is at fault, and asking again is no use. Unreachable: whatever it is, it may
 * pass.
 */
export type QueryAnswer =
  | { readonly kind: 'Vector'; readonly samples: readonly Sample[] }
  | { readonly kind: 'Refused' | 'Unreachable'; readonly message: string };

const LONGEST_MESSAGE = 200;
const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_MESSAGE);

const point = z.tuple([z.number(), z.string()]);
const failure = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });
const success = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: point.optional() })),
    }),
    z.object({ resultType: z.literal('scalar'), result: point }),
    z.object({ resultType: z.literal('string'), result: point }),
    z.object({ resultType: z.literal('matrix'), result: z.unknown() }),
  ]),
});

/** Prometheus writes numbers as texts: NaN and +Inf have no place in JSON. */
const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** HTTP API of Prometheus 2 and 3, `POST /api/v1/query`: 400 is a query that does not parse, 422 one that can't be executed. */
export function readAnswer(status: number, text: string, server: string): QueryAnswer {
  const json = parsed(text);
  const failed = failure.safeParse(json);
  if (failed.success) {
    const message = short(failed.data.error);
    return status === 400 || status === 422
      ? { kind: 'Refused', message }
      : { kind: 'Unreachable', message: `${server} answered ${status}: ${message}` };
  }
  const read = success.safeParse(json);
  if (!read.success || status !== 200) {
    return { kind: 'Unreachable', message: `${server} answered ${status}, and not as a Prometheus does` };
  }
  const { data } = read.data;
  if (data.resultType === 'scalar')
    return { kind: 'Vector', samples: [{ labels: {}, value: numberOf(data.result[1]) }] };
  if (data.resultType !== 'vector') {
    return { kind: 'Refused', message: `the answer is a ${data.resultType === 'matrix' ? 'range of values' : 'text'}` };
  }
  const samples = data.result.flatMap(({ metric, value }) =>
    value === undefined ? [] : [{ labels: metric, value: numberOf(value[1]) }],
  );
  return { kind: 'Vector', samples };
}
