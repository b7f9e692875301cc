import type { Family } from './family.ts';
import type { ScrapedModel } from './model.ts';

/**
 * The names of Triton's metrics (server docs/user_guide/metrics.md), for dashboards, autoscalers and rollouts that ask
 * for them. Counters are microseconds.
 */
export const TRITON_FAMILIES: readonly Family[] = [
  of(
    'nv_inference_request_success',
    'Number of successful inference requests',
    ({ snapshot }) => snapshot.success.count,
  ),
  {
    name: 'nv_inference_request_failure',
    type: 'counter',
    help: 'Number of failed inference requests',
    write({ labels, counts: { requests }, scheduler: { cancelledQueued, cancelledRunning } }, write) {
      const cancelled = cancelledQueued + cancelledRunning;
      write.sample({ ...labels, reason: 'REJECTED' }, requests.shed);
      write.sample({ ...labels, reason: 'CANCELED' }, cancelled);
      write.sample({ ...labels, reason: 'BACKEND' }, requests.serverError);
      // A request whose caller has left is counted as a client error too.
      write.sample({ ...labels, reason: 'OTHER' }, Math.max(0, requests.clientError - cancelled));
    },
  },
  of('nv_inference_count', 'Number of inferences performed', ({ snapshot }) => snapshot.inferenceCount),
  of('nv_inference_exec_count', 'Number of model executions performed', ({ snapshot }) => snapshot.executionCount),
  {
    name: 'nv_inference_pending_request_count',
    type: 'gauge',
    help: 'Instantaneous number of pending requests awaiting execution per-model.',
    write: ({ labels, scheduler }, write) => write.sample(labels, scheduler.waiting),
  },
  of('nv_inference_request_duration_us', 'Cumulative inference request duration in microseconds', ({ snapshot }) =>
    microseconds(snapshot.success.ns),
  ),
  of('nv_inference_queue_duration_us', 'Cumulative inference queuing duration in microseconds', ({ snapshot }) =>
    microseconds(snapshot.queue.ns),
  ),
  of('nv_inference_compute_input_duration_us', 'Cumulative compute input duration in microseconds', ({ snapshot }) =>
    microseconds(snapshot.computeInput.ns),
  ),
  of(
    'nv_inference_compute_infer_duration_us',
    'Cumulative compute inference duration in microseconds',
    ({ snapshot }) => microseconds(snapshot.computeInfer.ns),
  ),
  of('nv_inference_compute_output_duration_us', 'Cumulative compute output duration in microseconds', ({ snapshot }) =>
    microseconds(snapshot.computeOutput.ns),
  ),
  of('nv_cache_num_hits_per_model', 'Number of cache hits per model', ({ scheduler }) => scheduler.cacheHits),
  of('nv_cache_num_misses_per_model', 'Number of cache misses per model', ({ scheduler }) => scheduler.cacheMisses),
];

const microseconds = (ns: number): number => Math.round(ns / 1000);

function of(name: string, help: string, value: (model: ScrapedModel) => number): Family {
  return { name, type: 'counter', help, write: (model, write) => write.sample(model.labels, value(model)) };
}
