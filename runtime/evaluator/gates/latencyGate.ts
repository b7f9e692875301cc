import type { Gate } from '@slipway/crds';
import { Failure } from '../../artifact/failure.ts';
import { sampleInputs } from '../../server/models/warmUp.ts';
import { fewestForQuantile, quantileInterval } from '../intervals/quantile.ts';
import type { OpenModel } from './servedModel.ts';
import { comparison, type Finding, verdictOf } from './verdict.ts';

type LatencyOrder = NonNullable<Gate['latency']>;
export type LatencyGate = Gate & { readonly latency: LatencyOrder };

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
type QuantileName = keyof typeof QUANTILES;
const NAMES = Object.keys(QUANTILES) as QuantileName[];

/** A share of the requests, run before any is timed: memory is laid out, kernels are chosen, caches are warm. */
const WARM_UP_SHARE = 0.1;
const METHOD = 'order statistics, whatever the distribution';

export const millisecondsOf = (limit: string): number =>
  limit.endsWith('ms') ? Number(limit.slice(0, -2)) : 1000 * Number(limit.slice(0, -1));

/** Times of requests one after the other, in milliseconds, ascending: golden inputs in turn, else blank ones. */
export async function timeRequests(
  model: OpenModel,
  { batch, requests }: Pick<LatencyOrder, 'batch' | 'requests'>,
  now: () => number,
): Promise<Float64Array> {
  const { files, signature, batchable, run } = model;
  const golden = files.golden.length > 0 ? files.golden.map((one) => [one]) : [[]];
  const inputs = golden.map((one) => sampleInputs({ signature, golden: one, batchable }, batch));
  const outputs = signature.outputs.map(({ name }) => name);
  const request = (i: number) => run(inputs[i % inputs.length] ?? [], outputs);
  for (let i = 0; i < requests * WARM_UP_SHARE; i++) await request(i);
  const times = new Float64Array(requests);
  for (let i = 0; i < requests; i++) {
    const begin = now();
    await request(i);
    times[i] = now() - begin;
  }
  return times.sort();
}

/** Holds a quantile of the latency against its limit, by its upper bound. Throws Failure EvaluationInvalid for a batch that the model can't take. */
export async function judgeLatency(gate: LatencyGate, model: OpenModel, now: () => number): Promise<Finding> {
  const { latency } = gate;
  if (latency.batch > 1 && !model.batchable) {
    throw new Failure(
      'EvaluationInvalid',
      `Gate ${gate.name}: the model takes no batches, for its first dimension is fixed; write batch: 1.`,
    );
  }
  const times = await timeRequests(model, latency, now);
  return findingOf(gate, times, model);
}

function findingOf({ latency }: LatencyGate, times: Float64Array, { environment, files }: OpenModel): Finding {
  const name = NAMES.find((one) => latency[one] !== undefined) ?? 'p95';
  const written = latency[name] ?? '';
  const limit = millisecondsOf(written);
  const estimate = quantileInterval(times, QUANTILES[name]);
  const verdict = verdictOf(estimate, limit, 'max');
  const hint = verdict === 'NeedMore' ? `; ${needed(name, latency.requests, estimate.high)}` : '';
  const { threads, providers } = environment;
  const rows = files.golden.length > 0 ? 'golden requests' : 'blank inputs';
  const message = `${name} ${ms(estimate.value)} (95 % ${ms(estimate.low)} to ${ms(estimate.high)}, n=${times.length}) of ${rows}, batch ${latency.batch}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${providers.join('+')} ${comparison(verdict, 'max', written)}${hint}`;
  return {
    ...estimate,
    verdict,
    limit,
    n: times.length,
    message,
    method: METHOD,
    facts: {
      unit: 'ms',
      quantile: name,
      batch: latency.batch,
      ...environment,
      inputs: rows,
      histogram: quantilesOf(times),
    },
  };
}

function needed(name: QuantileName, requests: number, high: number): string {
  const fewest = fewestForQuantile(QUANTILES[name]);
  if (high === Number.POSITIVE_INFINITY) return `set requests to ${fewest} at least: fewer give ${name} no upper bound`;
  return `set requests to ${Math.min(100_000, 4 * requests)}, for half as wide an interval`;
}

const ms = (value: number): string => (Number.isFinite(value) ? `${Number(value.toPrecision(3))} ms` : 'unknown');

const SHOWN = [0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];
const quantilesOf = (times: Float64Array) =>
  SHOWN.map((share) => ({
    quantile: share,
    ms: times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)],
  }));
