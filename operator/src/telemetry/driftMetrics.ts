import { Gauge, type Registry } from 'prom-client';

/** One number of a look, as its metric shows it. */
export interface DriftNumber {
  readonly feature: string;
  readonly measure: string;
  readonly value: number;
  readonly limit: number;
}

/** Told what the watch over a service saw. */
export interface DriftMeter {
  /** Numbers worst first; none: nothing could be judged, and what was told before is no truth any more. */
  looked(namespace: string, service: string, detected: boolean, numbers: readonly DriftNumber[]): void;
  /** The service is no longer watched. */
  gone(namespace: string, service: string): void;
}

/** Features of one service that have series: a model with a thousand must not cost a Prometheus its memory. */
export const MOST_FEATURES = 50;

/** Numbers of the first features, as many as may have series; of two with the same labels, the first. */
function bounded(numbers: readonly DriftNumber[]): readonly DriftNumber[] {
  const features = new Set([...new Set(numbers.map(({ feature }) => feature))].slice(0, MOST_FEATURES));
  const known = new Set<string>();
  return numbers.filter(({ feature, measure }) => {
    const series = `${measure}/${feature}`;
    if (!features.has(feature) || known.has(series)) return false;
    known.add(series);
    return true;
  });
}

/**
 * slipway_drift_effect and slipway_drift_limit, a pair for each number, so that a board draws the limit that is in force;
 * slipway_drift_detected for the service. Series go with what they tell of.
 */
export function driftMeter(registry: Registry): DriftMeter {
  const registers = [registry];
  const labelNames = ['namespace', 'service', 'feature', 'measure'] as const;
  const effect = new Gauge({
    name: 'slipway_drift_effect',
    help: 'Distance from the training data, or share, in the last window; by feature or prediction, the worst 50.',
    labelNames,
    registers,
  });
  const limit = new Gauge({
    name: 'slipway_drift_limit',
    help: 'Limit that slipway_drift_effect is held against.',
    labelNames,
    registers,
  });
  const detected = new Gauge({
    name: 'slipway_drift_detected',
    help: '1 while the service has a drift.',
    labelNames: ['namespace', 'service'] as const,
    registers,
  });
  const shown = new Map<string, readonly DriftNumber[]>();

  const clear = (namespace: string, service: string): void => {
    for (const { feature, measure } of shown.get(`${namespace}/${service}`) ?? []) {
      effect.remove({ namespace, service, feature, measure });
      limit.remove({ namespace, service, feature, measure });
    }
    shown.delete(`${namespace}/${service}`);
  };

  return {
    looked(namespace, service, isDetected, numbers) {
      clear(namespace, service);
      const told = bounded(numbers);
      for (const { feature, measure, value, limit: held } of told) {
        effect.set({ namespace, service, feature, measure }, value);
        limit.set({ namespace, service, feature, measure }, held);
      }
      shown.set(`${namespace}/${service}`, told);
      detected.set({ namespace, service }, isDetected ? 1 : 0);
    },
    gone(namespace, service) {
      clear(namespace, service);
      detected.remove({ namespace, service });
    },
  };
}

/** For an operator whose numbers nobody reads. */
export const silentDriftMeter: DriftMeter = { looked: () => undefined, gone: () => undefined };
