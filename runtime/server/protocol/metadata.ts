import type { Tensor } from '@slipway/crds/contract';
import type { ServedModel } from '../models/servedModel.ts';

/** Extensions of the Open Inference Protocol (Triton docs/protocol) that are served here, and no other. */
const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'parameters',
  'model_configuration',
  'schedule_policy',
  'statistics',
] as const;
const REPOSITORY_EXTENSIONS = ['model_repository', 'model_repository(unload_dependents)'] as const;

export const PLATFORM = 'onnx_onnxv1';

/** Body of GET /v2. `controllable`: callers may load and unload. */
export const serverMetadata = (version: string, controllable: boolean) => ({
  name: 'slipway',
  version,
  extensions: [...EXTENSIONS, ...(controllable ? REPOSITORY_EXTENSIONS : REPOSITORY_EXTENSIONS.slice(0, 1))],
});

const described = ({ name, datatype, shape }: Tensor) => ({ name, datatype, shape });

/** Body of GET /v2/models/<m>. */
export const modelMetadata = ({ identity, signature }: ServedModel, versions: readonly string[]) => ({
  name: identity.name,
  versions,
  platform: PLATFORM,
  inputs: signature.inputs.map(described),
  outputs: signature.outputs.map(described),
});

/**
 * Body of GET …/config, in the terms of Triton's model configuration (model_config.proto): where requests share runs the
 * first dimension is left out of `dims`, and `max_batch_size` is above 0.
 */
export function modelConfig({ identity, signature, scheduler, settings }: ServedModel) {
  const { batching, engine } = settings;
  const tensorOf = ({ name, datatype, shape }: Tensor) => ({
    name,
    data_type: `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`,
    dims: scheduler.batchable ? shape.slice(1) : shape,
  });
  return {
    name: identity.name,
    platform: PLATFORM,
    backend: 'onnxruntime',
    version_policy: { specific: { versions: [identity.version] } },
    max_batch_size: scheduler.batchable ? batching.maxSize : 0,
    input: signature.inputs.map(tensorOf),
    output: signature.outputs.map(tensorOf),
    instance_group: [{ name: identity.name, kind: kindOf(engine.providers), count: engine.instances }],
    ...(scheduler.batchable && batching.maxSize > 1
      ? {
          dynamic_batching: {
            preferred_batch_size: batching.preferredSizes,
            max_queue_delay_microseconds: Math.round(batching.maxDelayMs * 1000),
          },
        }
      : {}),
    parameters: {},
  };
}

const kindOf = (providers: readonly string[]): string => (providers[0] === 'cpu' ? 'KIND_CPU' : 'KIND_GPU');
