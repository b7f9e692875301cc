import { type Clock, systemClock } from '../src/kube/clock.ts';
import type { Endpoint } from '../src/kube/config.ts';
import { type Meter, silentLog, silentMeter } from '../src/kube/observe.ts';
import type { Surroundings } from '../src/kube/reflector.ts';
import { createTransport } from '../src/kube/transport.ts';

export interface SurroundingsOptions {
  readonly http2?: boolean;
  readonly clock?: Clock;
  readonly meter?: Partial<Meter>;
  readonly attemptMs?: number;
}

/** What the machinery is built with, quiet and impatient, against one endpoint. */
export function surroundings(endpoint: Endpoint, options: SurroundingsOptions = {}): Surroundings {
  const { http2 = true, clock = systemClock, attemptMs = 1_000 } = options;
  const meter = { ...silentMeter, ...options.meter };
  const random = () => 0;
  return {
    transport: createTransport({ endpoint, http2, clock, random, meter, attemptMs }),
    clock,
    random,
    meter,
    log: silentLog,
  };
}
