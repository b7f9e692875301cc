import type { ServedModel } from '../models/servedModel.ts';

interface Phase {
  readonly count: number;
  readonly ns: number;
}

const phase = ({ count, ns }: Phase): Phase => ({ count, ns });
const nanoseconds = (ms: number): number => Math.round(ms * 1e6);
const NONE: Phase = { count: 0, ns: 0 };

/**
 * Body of GET …/stats (Triton's statistics extension, docs/protocol/extension_statistics.md): cumulative since each model
 * version was loaded. Cache durations are not measured apart and are 0; a batch is timed as a whole, under compute_infer.
 */
export const modelStatistics = (models: readonly ServedModel[]) => ({ model_stats: models.map(statisticsOf) });

function statisticsOf({ identity, evidence, scheduler }: ServedModel) {
  const counted = evidence.snapshot();
  const scheduled = scheduler.counts();
  return {
    name: identity.name,
    version: identity.version,
    last_inference: counted.lastInferenceMs,
    inference_count: counted.inferenceCount,
    execution_count: counted.executionCount,
    inference_stats: {
      success: phase(counted.success),
      fail: phase(counted.fail),
      queue: phase(counted.queue),
      compute_input: phase(counted.computeInput),
      compute_infer: phase(counted.computeInfer),
      compute_output: phase(counted.computeOutput),
      cache_hit: { count: scheduled.cacheHits, ns: 0 },
      cache_miss: { count: scheduled.cacheMisses, ns: 0 },
    },
    response_stats: {},
    batch_stats: [...scheduled.runsByRows.entries()]
      .sort(([a], [b]) => a - b)
      .map(([batch_size, { runs, computeMs }]) => ({
        batch_size,
        compute_input: NONE,
        compute_infer: { count: runs, ns: nanoseconds(computeMs) },
        compute_output: NONE,
      })),
    memory_usage: [],
  };
}
