import { request } from 'undici';
import * as z from 'zod';

/** A series over a range of time: seconds since 1970 and values, oldest first. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [at: number, value: number])[];
}

export interface Range {
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Seconds. */
  readonly step: number;
}

/** Asks a Prometheus for the values of an expression over a time. Throws a sentence. */
export type RangeQuery = (
  server: string,
  query: string,
  range: Range,
  signal: AbortSignal,
) => Promise<readonly Series[]>;

const LARGEST_ANSWER = 256 * 1024 * 1024;
const matrix = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
});
const failure = z.object({ status: z.literal('error'), error: z.string() });

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  const parts: string[] = [];
  let size = 0;
  for await (const part of body) {
    const text = String(part);
    parts.push(text);
    size += text.length;
    if (size > LARGEST_ANSWER)
      throw new Error('its answer is too large: ask for less with --since, or a longer --step');
  }
  return parts.join('');
}

function seriesIn(text: string, status: number): readonly Series[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`it answered ${status}, and not as a Prometheus does`);
  }
  const failed = failure.safeParse(json);
  if (failed.success) throw new Error(failed.data.error.slice(0, 300));
  const read = matrix.safeParse(json);
  if (!read.success) throw new Error(`it answered ${status}, and not as a Prometheus does`);
  return read.data.data.result.map(({ metric, values }) => ({
    labels: metric,
    values: values.map(([at, value]) => [at, Number(value)] as const),
  }));
}

/** Points of a series that Prometheus gives in one answer. */
const MOST_POINTS = 10_000;

function pieces({ start, end, step }: Range): readonly Range[] {
  const long = MOST_POINTS * step;
  const all: Range[] = [];
  for (let from = start; from <= end; from += long)
    all.push({ start: from, end: Math.min(end, from + long - step), step });
  return all;
}

/** One series of the pieces of it, in order of time. */
function joined(parts: readonly (readonly Series[])[]): readonly Series[] {
  const known = new Map<string, Series>();
  for (const series of parts.flat()) {
    const key = JSON.stringify(Object.entries(series.labels).sort());
    const before = known.get(key)?.values ?? [];
    known.set(key, { labels: series.labels, values: [...before, ...series.values] });
  }
  return [...known.values()];
}

/** The real RangeQuery: `POST /api/v1/query_range`, in pieces of as many points as Prometheus gives. */
export const rangeQueryWithin =
  (patienceMs: number): RangeQuery =>
  async (server, query, range, signal) => {
    const parts: (readonly Series[])[] = [];
    for (const { start, end, step } of pieces(range)) {
      const answer = await request(`${server.replace(/\/+$/, '')}/api/v1/query_range`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) }).toString(),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      }).catch((error: { code?: string; message?: string }) => {
        throw new Error(`${server} can not be asked: ${error.code ?? error.message}`);
      });
      try {
        parts.push(seriesIn(await textOf(answer.body.setEncoding('utf8')), answer.statusCode));
      } catch (error) {
        throw new Error(`${server}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return joined(parts);
  };
