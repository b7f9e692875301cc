import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from '../kube/observe.ts';
import { type DriftMeter, driftMeter } from './driftMetrics.ts';
import { type TrainingMeter, trainingMeter } from './trainingMetrics.ts';

const PASS_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

export interface Metrics {
  readonly registry: Registry;
  readonly meter: Meter;
  readonly drift: DriftMeter;
  readonly training: TrainingMeter;
}

/**
 * The operator's own metrics, `slipway_operator_*`, those of its process, and what it sees of drift and of
 * training, `slipway_drift_*` and `slipway_training_*`. */
export function createMetrics(now: () => Date): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `slipway_operator_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `slipway_operator_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `slipway_operator_${name}`, help, labelNames, buckets, registers });

  const calls = histogram(
    'api_call_seconds',
    'Calls to the API server; code 0: no answer.',
    CALL_BUCKETS,
    'verb',
    'code',
  );
  const restarts = counter('watch_restarts_total', 'Watches begun again, by cause.', 'resource', 'why');
  const callbacks = counter('callback_failures_total', 'Event callbacks that threw.', 'resource');
  const depth = gauge('queue_depth', 'Objects that wait for a pass.', 'controller');
  const passes = histogram('pass_seconds', 'Reconcile passes.', PASS_BUCKETS, 'controller', 'outcome');
  const leader = gauge('leader', '1 on the replica that leads.');
  const lost = counter('events_lost_total', 'Kubernetes Events that could not be written.');
  const staleness = watchStaleness(registry, now);
  leader.set(0);

  const meter: Meter = {
    apiCall: (verb, code, seconds) => calls.observe({ verb, code: String(code) }, seconds),
    watchRestart: (resource, why) => restarts.inc({ resource, why }),
    heard: staleness,
    callbackFailure: (resource) => callbacks.inc({ resource }),
    queueDepth: (controller, value) => depth.set({ controller }, value),
    pass: (controller, outcome, seconds) => passes.observe({ controller, outcome }, seconds),
    leading: (leads) => leader.set(leads ? 1 : 0),
    eventLost: () => lost.inc(),
  };
  return { registry, meter, drift: driftMeter(registry), training: trainingMeter(registry, now) };
}

/** Seconds are counted when Prometheus asks, so that a watch that stopped telling anything shows as growing. */
function watchStaleness(registry: Registry, now: () => Date): Meter['heard'] {
  const heard = new Map<string, Date>();
  new Gauge({
    name: 'slipway_operator_watch_staleness_seconds',
    help: 'Since the API server last said anything on this watch; bookmarks come about once a minute.',
    labelNames: ['resource'],
    registers: [registry],
    collect() {
      for (const [resource, at] of heard) this.set({ resource }, (now().getTime() - at.getTime()) / 1000);
    },
  });
  return (resource, at) => {
    heard.set(resource, at);
  };
}
