import { type Evidence, METRICS } from '@slipway/crds/contract';
import type { Sample } from '../answer.ts';

type Labels = Readonly<Record<string, string>>;

/** The series of a pod that evidence is read from, with the labels that the runtime writes. */
function seriesOf({ model, requests, latency, invalid = 0, labels, startedAt }: Evidence): [string, Labels, number][] {
  const own = { model: model.name, version: model.version };
  const outcomes = Object.entries(requests).flatMap(([outcome, count]): [string, Labels, number][] => [
    [METRICS.requests, { ...own, outcome, protocol: 'rest' }, count],
    [METRICS.requests, { ...own, outcome, protocol: 'grpc' }, 0],
  ]);
  let upTo = 0;
  const buckets = latency.counts.map((count, i): [string, Labels, number] => {
    upTo += count;
    const bound = latency.boundsMs[i];
    return [`${METRICS.latency}_bucket`, { ...own, le: bound === undefined ? '+Inf' : String(bound / 1000) }, upTo];
  });
  const late = (['right', 'wrong', 'unknown'] as const).flatMap((result): [string, Labels, number][] =>
    labels === undefined ? [] : [[METRICS.labels, { ...own, result }, labels[result]]],
  );
  return [
    ...outcomes,
    ...buckets,
    ...late,
    [METRICS.invalid, own, invalid],
    [METRICS.info, { ...own, digest: model.digest }, 1],
    [METRICS.ready, {}, 1],
    ['process_start_time_seconds', {}, Date.parse(startedAt) / 1000],
  ];
}

/** What a Prometheus that scrapes a pod answers about it. */
export const scraped = (pod: string, document: Evidence): Sample[] =>
  seriesOf(document).map(([name, labels, value]) => ({
    labels: { __name__: name, namespace: 'ml', pod, ...labels },
    value,
  }));

/** The text that a pod gives to be scraped. */
export const exposed = (document: Evidence): string =>
  seriesOf(document)
    .map(([name, labels, value]) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      return `${name}{${pairs.join(',')}} ${value}\n`;
    })
    .join('');
