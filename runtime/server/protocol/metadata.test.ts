import { expect, test } from 'vitest';
import { protocolModel, tensor } from '../../test/protocolModel.ts';
import type { SchedulerCounts } from '../batching/scheduler.ts';
import type { EvidenceSnapshot } from '../evidence/snapshot.ts';
import { modelConfig, modelMetadata, serverMetadata } from './metadata.ts';
import { modelStatistics } from './statistics.ts';

const model = protocolModel(
  {
    inputs: [tensor('x', 'FP32', [-1, 2], ['a', 'b']), tensor('t', 'BYTES', [-1])],
    outputs: [tensor('y', 'INT64', [-1])],
  },
  { name: 'flights', version: 'v7' },
);

test('the server names what it serves', () => {
  expect(serverMetadata('1.2.3', true)).toMatchObject({ name: 'slipway', version: '1.2.3' });
  expect(serverMetadata('1.2.3', false).extensions).toContain('binary_tensor_data');
  expect(serverMetadata('1.2.3', false).extensions).not.toContain('model_repository(unload_dependents)');
});

test('a model names its tensors as the protocol has them', () => {
  expect(modelMetadata(model, ['v7', 'v6'])).toEqual({
    name: 'flights',
    versions: ['v7', 'v6'],
    platform: 'onnx_onnxv1',
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [-1, 2] },
      { name: 't', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [{ name: 'y', datatype: 'INT64', shape: [-1] }],
  });
});

test('the configuration leaves the batch dimension out, as Triton does', () => {
  expect(modelConfig(model)).toMatchObject({
    name: 'flights',
    max_batch_size: 32,
    input: [
      { name: 'x', data_type: 'TYPE_FP32', dims: [2] },
      { name: 't', data_type: 'TYPE_STRING', dims: [] },
    ],
    output: [{ name: 'y', data_type: 'TYPE_INT64', dims: [] }],
    dynamic_batching: { max_queue_delay_microseconds: 0 },
  });
});

test('a model whose requests share no run has no batch size', () => {
  const alone = protocolModel({ inputs: [tensor('x', 'FP32', [4])], outputs: [] });
  expect(modelConfig(alone)).toMatchObject({ max_batch_size: 0, input: [{ dims: [4] }] });
  expect(modelConfig(alone)).not.toHaveProperty('dynamic_batching');
});

test("statistics have Triton's form, in nanoseconds", () => {
  const phase = { count: 3, ns: 3000 };
  const snapshot = {
    lastInferenceMs: 1_700_000_000_000,
    inferenceCount: 5,
    executionCount: 3,
    success: phase,
    fail: { count: 1, ns: 10 },
    queue: phase,
    computeInput: phase,
    computeInfer: phase,
    computeOutput: phase,
  } as EvidenceSnapshot;
  const counts = {
    cacheHits: 2,
    cacheMisses: 4,
    runsByRows: new Map([
      [4, { runs: 1, computeMs: 2.5 }],
      [1, { runs: 2, computeMs: 1 }],
    ]),
  } as unknown as SchedulerCounts;
  const counted = {
    ...model,
    evidence: { ...model.evidence, snapshot: () => snapshot },
    scheduler: { ...model.scheduler, counts: () => counts },
  };
  expect(modelStatistics([counted])).toMatchObject({
    model_stats: [
      {
        name: 'flights',
        version: 'v7',
        last_inference: 1_700_000_000_000,
        inference_count: 5,
        execution_count: 3,
        inference_stats: {
          success: phase,
          fail: { count: 1, ns: 10 },
          cache_hit: { count: 2 },
          cache_miss: { count: 4 },
        },
        batch_stats: [
          { batch_size: 1, compute_infer: { count: 2, ns: 1_000_000 } },
          { batch_size: 4, compute_infer: { count: 1, ns: 2_500_000 } },
        ],
      },
    ],
  });
});
