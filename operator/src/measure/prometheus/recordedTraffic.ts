import { METRICS } from '@slipway/crds/contract';
import type { Counted, Interval, Recording } from '../../domain/guards/rehearsal/record.ts';
import type { Range, RangeQuery, Series } from './rangeQuery.ts';

export interface TrafficQuestion {
  readonly server: string;
  readonly namespace: string;
  /** Of the service: its pods' names begin with it. */
  readonly service: string;
  readonly model: string;
  /** Version whose pods count as the candidate; undefined: all versions count as one. */
  readonly candidate?: string | undefined;
  /** Thresholds to read of the latency histogram, milliseconds. */
  readonly thresholds: readonly number[];
  readonly range: Range;
}

type Arm = keyof Recording;

/** What a counter grew by in each interval. One that falls was begun anew, and one that comes later began at zero. */
export function growthOf({ values }: Series, { start, step }: Range): ReadonlyMap<number, number> {
  const growth = new Map<number, number>();
  let before: number | undefined;
  for (const [at, value] of values) {
    const known: number | undefined = before ?? (at <= start + step / 2 ? undefined : 0);
    before = value;
    if (known === undefined) continue;
    const more = value < known ? value : value - known;
    const interval = Math.round((at - start) / step) - 1;
    growth.set(interval, (growth.get(interval) ?? 0) + more);
  }
  return growth;
}

/** `le` of a bucket, in either spelling of Prometheus: 1 and 1.0. */
const leOf = (ms: number): string => {
  const seconds = String(ms / 1000);
  return seconds.includes('.') ? seconds.replace('.', '\\\\.') : `${seconds}(\\\\.0)?`;
};

/** The counts of an interval, by the names of a record. A bucket counts what was faster. */
interface Draft {
  total: number;
  bad: number;
  invalid: number;
  right: number;
  wrong: number;
  served: number;
  faster: Record<string, number>;
}
const blank = (): Draft => ({ total: 0, bad: 0, invalid: 0, right: 0, wrong: 0, served: 0, faster: {} });

function countedOf({ served, faster, ...rest }: Draft, thresholds: readonly number[]): Counted {
  const total = Math.round(rest.total);
  const part = (value: number): number => Math.min(total, Math.max(0, Math.round(value)));
  return {
    total,
    bad: part(rest.bad),
    invalid: part(rest.invalid),
    right: Math.round(rest.right),
    wrong: Math.round(rest.wrong),
    slower: Object.fromEntries(thresholds.map((ms) => [String(ms), part(served - (faster[String(ms)] ?? 0))])),
  };
}

/** What the runtime's own metrics tell of a service over a time. Throws a sentence where they tell nothing. */
export async function recordedTraffic(
  question: TrafficQuestion,
  query: RangeQuery,
  signal: AbortSignal,
): Promise<Recording> {
  const { server, namespace, service, model, candidate, thresholds, range } = question;
  const drafts: Record<Arm, Map<number, Draft>> = { stable: new Map(), candidate: new Map() };
  // A pod is named by service, revision, replica set and itself: the pods of flights-2 are none of flights.
  const own = `namespace="${namespace}",pod=~"${service}-[0-9a-f]{10}-[0-9a-z]+-[0-9a-z]+",model="${model}"`;
  const add = (series: Series, into: (draft: Draft, more: number) => void): void => {
    const arm: Arm = candidate !== undefined && series.labels['version'] === candidate ? 'candidate' : 'stable';
    for (const [interval, more] of growthOf(series, range)) {
      const draft = drafts[arm].get(interval) ?? blank();
      drafts[arm].set(interval, draft);
      into(draft, more);
    }
  };
  const asked = (by: string, metric: string, more = ''): Promise<readonly Series[]> =>
    query(server, `sum by (pod, version, ${by}) (${metric}{${own}${more}})`, range, signal);

  for (const series of await asked('outcome', METRICS.requests)) {
    const isBad = ['serverError', 'shed'].includes(series.labels['outcome'] ?? '');
    add(series, (draft, more) => {
      draft.total += more;
      if (isBad) draft.bad += more;
    });
  }
  if (drafts.stable.size + drafts.candidate.size === 0)
    throw new Error(
      `${server} knows no requests of infs/${service} in that time: it needs ${METRICS.requests} with the labels namespace="${namespace}" and pod, as a PodMonitor gives them.`,
    );
  for (const series of await asked('model', METRICS.invalid)) {
    add(series, (draft, more) => {
      draft.invalid += more;
    });
  }
  for (const series of await asked('result', METRICS.labels)) {
    const field = series.labels['result'];
    if (field !== 'right' && field !== 'wrong') continue;
    add(series, (draft, more) => {
      draft[field] += more;
    });
  }
  if (thresholds.length > 0) {
    const le = `,le=~"${[...thresholds.map(leOf), '\\\\+Inf'].join('|')}"`;
    for (const series of await asked('le', `${METRICS.latency}_bucket`, le)) {
      const bound = series.labels['le'] ?? '';
      const ms = thresholds.find((one) => Math.abs(Number(bound) * 1000 - one) < one * 1e-9);
      add(series, (draft, more) => {
        if (ms === undefined) draft.served += more;
        else draft.faster[String(ms)] = (draft.faster[String(ms)] ?? 0) + more;
      });
    }
  }
  const intervals = (arm: Arm): readonly Interval[] =>
    [...drafts[arm]]
      .sort(([a], [b]) => a - b)
      .map(([interval, draft]) => ({
        ...countedOf(draft, thresholds),
        at: (range.start + interval * range.step) * 1000,
        seconds: range.step,
      }));
  return { stable: intervals('stable'), candidate: intervals('candidate') };
}
