import { EVIDENCE_SCHEMA, type Evidence, LATENCY_BOUNDS_MS, METRICS } from '@slipway/crds/contract';
import type { Sample } from './answer.ts';

/** Standard metric of a process, in seconds since 1970: another value is another process. */
const STARTED = 'process_start_time_seconds';
const BUCKETS = `${METRICS.latency}_bucket`;
const READ = [METRICS.requests, BUCKETS, METRICS.invalid, METRICS.labels, METRICS.info, METRICS.ready, STARTED];

/** Texts in a PromQL string that is matched as a regular expression. */
const literally = (text: string): string => text.replaceAll(/[.\\+*?()|[\]{}^$]/g, '\\\\$&');

/** Every series of these pods that evidence is made of, in one answer: the numbers of one pod then are of one scrape. */
export const evidenceQuery = (namespace: string, pods: readonly string[]): string =>
  `{__name__=~"${READ.join('|')}",namespace="${namespace}",pod=~"${pods.map(literally).join('|')}"}`;

const nameOf = ({ labels }: Sample): string => labels['__name__'] ?? '';
const count = (value: number): number => Math.round(value);

/** Counts of each bucket, of Prometheus' cumulative ones in seconds. Our own pods have all of our bounds. */
function latencyOf(samples: readonly Sample[]): Evidence['latency'] {
  const upTo = new Map(
    samples
      .filter((s) => nameOf(s) === BUCKETS)
      .map(({ labels, value }) => [Number(labels['le']?.replace('+Inf', 'Infinity')) * 1000, value]),
  );
  const near = (bound: number): number | undefined =>
    [...upTo].find(([le]) => Math.abs(le - bound) <= bound * 1e-9)?.[1];
  const cumulative = LATENCY_BOUNDS_MS.map(near);
  const all = upTo.get(Number.POSITIVE_INFINITY);
  if (all === undefined || cumulative.some((value) => value === undefined))
    return { boundsMs: [], counts: [], sumMs: 0 };
  const rising = [...(cumulative as number[]), all];
  const counts = rising.map((value, i) => count(value - (rising[i - 1] ?? 0)));
  return { boundsMs: [...LATENCY_BOUNDS_MS], counts, sumMs: 0 };
}

const sumOf = (samples: readonly Sample[], name: string, label?: string, value?: string): number =>
  count(
    samples
      .filter((s) => nameOf(s) === name && (label === undefined || s.labels[label] === value))
      .reduce((sum, s) => sum + s.value, 0),
  );

/**
 * The evidence document of one pod, as far as its series tell it. Its batches are left at nothing: seconds of a process
 * are not exported. Predictions and shadows are left out: bins have no order there, and a shadow has no order's name.
 * undefined: what names the model or the process is not there yet, so the counts may be of a process that is gone.
 */
function documentOf(samples: readonly Sample[], model: string, now: Date): Evidence | undefined {
  const own = samples.filter(({ labels }) => labels['model'] === undefined || labels['model'] === model);
  const info = own.find((s) => nameOf(s) === METRICS.info)?.labels;
  const started = own.find((s) => nameOf(s) === STARTED)?.value;
  if (info?.['digest'] === undefined || started === undefined) return undefined;
  const requests = (outcome: string): number => sumOf(own, METRICS.requests, 'outcome', outcome);
  const labels = (result: string): number => sumOf(own, METRICS.labels, 'result', result);
  return {
    schema: EVIDENCE_SCHEMA,
    epoch: String(started),
    startedAt: new Date(started * 1000).toISOString(),
    at: now.toISOString(),
    model: { name: model, version: info['version'] ?? '', digest: info['digest'] },
    ready: sumOf(own, METRICS.ready) > 0,
    draining: false,
    inFlight: 0,
    requests: {
      ok: requests('ok'),
      clientError: requests('clientError'),
      serverError: requests('serverError'),
      shed: requests('shed'),
    },
    batches: { seconds: 0, failedSquaredOverServed: 0 },
    latency: latencyOf(own),
    invalid: sumOf(own, METRICS.invalid),
    labels: { right: labels('right'), wrong: labels('wrong'), unknown: labels('unknown') },
  };
}

/** Documents by name of the pod. */
export function documentsOf(samples: readonly Sample[], model: string, now: Date): ReadonlyMap<string, Evidence> {
  const byPod = Map.groupBy(samples, ({ labels }) => labels['pod'] ?? '');
  const documents = [...byPod].map(([pod, own]): [string, Evidence | undefined] => [pod, documentOf(own, model, now)]);
  return new Map(documents.filter((entry): entry is [string, Evidence] => entry[1] !== undefined));
}
