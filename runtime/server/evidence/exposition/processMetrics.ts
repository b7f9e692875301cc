import { collectDefaultMetrics, Registry } from 'prom-client';

/** The process' and Node's own metrics (process_*, nodejs_*) as Prometheus text. Call once in a process: it starts to watch. */
export function watchProcess(): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return () => registry.metrics();
}
