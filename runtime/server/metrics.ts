import { LATENCY_BOUNDS_MS, METRICS } from '@slipway/crds/contract';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ModelIdentity } from './config.ts';
import { isServed, REQUEST_OUTCOMES, type RequestOutcome } from './evidence.ts';

export interface ServerMetrics {
  readonly registry: Registry;
  record(outcome: RequestOutcome, latencyMs: number): void;
}

/** The Prometheus face of the same facts that the evidence document holds, beside Node's own metrics. */
export function serverMetrics({ name, version, digest }: ModelIdentity, inFlight: () => number): ServerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: METRICS.requests,
    help: 'Answers to model requests, by outcome: ok, clientError, serverError, shed.',
    labelNames: ['model', 'version', 'outcome'],
    registers: [registry],
  });
  const latency = new Histogram({
    name: METRICS.latency,
    help: 'Seconds from the last byte of a served request to its answer.',
    labelNames: ['model', 'version'],
    buckets: LATENCY_BOUNDS_MS.map((ms) => ms / 1000),
    registers: [registry],
  });
  registerGauges(registry, { model: name, version, digest }, inFlight);
  // Bound once: every series exists from the start, and no label is hashed for each request.
  const counts = new Map(REQUEST_OUTCOMES.map((outcome) => [outcome, requests.labels(name, version, outcome)]));
  const observed = latency.labels(name, version);
  return {
    registry,
    record(outcome, latencyMs) {
      counts.get(outcome)?.inc();
      if (isServed(outcome)) observed.observe(latencyMs / 1000);
    },
  };
}

function registerGauges(
  registry: Registry,
  info: Record<'model' | 'version' | 'digest', string>,
  inFlight: () => number,
) {
  new Gauge({
    name: METRICS.inFlight,
    help: 'Model requests that have arrived and are not answered yet.',
    registers: [registry],
    collect() {
      this.set(inFlight());
    },
  });
  new Gauge({
    name: METRICS.info,
    help: 'Always 1; the labels say what this process serves.',
    labelNames: ['model', 'version', 'digest'],
    registers: [registry],
  }).set(info, 1);
}
