import { randomUUID } from 'node:crypto';
import { type ModelSettings, modelSettingsSchema } from '@slipway/crds/serving';
import { node, value } from '../../../onnx/builders.ts';
import type { OnnxModel } from '../../../onnx/model.ts';
import { modelArtifact } from '../../../test/artifacts.ts';
import type { Lease } from '../../batching/scheduler.ts';
import { openModel } from '../../models/openModel.ts';
import type { ServedModel } from '../../models/servedModel.ts';

/** Answers its inputs: one of each kind that a request can get wrong. */
export const mirror: OnnxModel = {
  name: 'mirror',
  inputs: [value('x', 'FP32', [-1, 2]), value('n', 'INT8', [-1, 1])],
  outputs: [value('x_out', 'FP32', [-1, 2]), value('n_out', 'INT8', [-1, 1])],
  initializers: [],
  nodes: [node('Identity', ['x'], 'x_out'), node('Identity', ['n'], 'n_out')],
};

/** Answers its text. */
export const words: OnnxModel = {
  name: 'words',
  inputs: [value('text', 'BYTES', [-1])],
  outputs: [value('text_out', 'BYTES', [-1])],
  initializers: [],
  nodes: [node('Identity', ['text'], 'text_out')],
};

export interface TestModel {
  readonly model: ServedModel;
  /** Leases that are neither submitted nor released: none when all is well. */
  readonly leased: () => number;
  readonly close: () => Promise<void>;
}

/** A real model behind a real queue and engine, with its leases counted. */
export async function openTestModel(
  onnx: OnnxModel,
  settings: Partial<Record<keyof ModelSettings, unknown>> = {},
): Promise<TestModel> {
  const { directory } = await modelArtifact(onnx);
  const found = { name: onnx.name, version: '1', path: directory, bare: false };
  const { model, close } = await openModel(found, {
    settings: modelSettingsSchema.parse(settings),
    cores: 1,
    digest: undefined,
    observe: () => ({ wants: () => 0, take: () => undefined, failed: () => undefined, close: async () => undefined }),
    random: () => 0.5,
    epoch: randomUUID,
    elapsed: () => performance.now(),
    now: () => new Date(),
    log: { info: () => undefined, warn: () => undefined },
  });
  const count = { leased: 0 };
  const counted = (lease: Lease): Lease => {
    count.leased += 1;
    return {
      inputs: lease.inputs,
      submit(order, done) {
        count.leased -= 1;
        return lease.submit(order, done);
      },
      release() {
        count.leased -= 1;
        lease.release();
      },
    };
  };
  const { scheduler } = model;
  const watched: ServedModel = {
    ...model,
    healthy: true,
    scheduler: {
      batchable: scheduler.batchable,
      lease: (shapes, urgency) => counted(scheduler.lease(shapes, urgency)),
      counts: () => scheduler.counts(),
      close: () => scheduler.close(),
    },
  };
  return { model: watched, leased: () => count.leased, close };
}
