import type { Lifecycle } from './lifecycle.ts';
import type { Leaving } from './rest/drain.ts';

export interface LeavingPort {
  /** Requests that have arrived and are not answered. */
  readonly inFlight: number;
  /** Serves for `drainMs` as before, then takes nothing new and waits for what is under way, `patienceMs` at most. */
  drain(leaving: Leaving): Promise<void>;
}

export interface LeaveOptions extends Pick<Leaving, 'drainMs' | 'pause'> {
  readonly lifecycle: Lifecycle;
  readonly ports: readonly LeavingPort[];
  /** From now until the process is killed. */
  readonly graceMs: number;
}

/** What must be left of the grace period for the process to end by itself. */
const MARGIN_MS = 1000;

/**
 * Leaves without dropping a request: unready at once, while all ports serve on until every proxy has heard. Returns the
 * number of requests for which the grace period was too short.
 */
export async function leave({ lifecycle, ports, drainMs, graceMs, pause }: LeaveOptions): Promise<number> {
  lifecycle.drain();
  const patienceMs = Math.max(0, graceMs - drainMs - MARGIN_MS);
  await Promise.all(ports.map((port) => port.drain({ drainMs, patienceMs, pause })));
  return ports.reduce((sum, { inFlight }) => sum + inFlight, 0);
}
