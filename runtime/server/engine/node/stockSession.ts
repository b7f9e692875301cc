import { join } from 'node:path';
import type { Signature, Tensor } from '@slipway/crds/contract';
import * as ort from 'onnxruntime-node';
import { Failure } from '../../../artifact/failure.ts';
import type { Datatype, Elements, TensorValue } from '../../tensor.ts';
import { gpuCause, noProvider, withoutProvider } from '../gpuFailure.ts';
import { invalidModel } from '../modelFailure.ts';
import { OPTIMIZED_MODEL, openCached, WEIGHTS_APART } from '../optimizedCache.ts';
import type { SessionPlan } from '../sessionPlan.ts';
import type { ChildModel } from './messages.ts';

/** A session of the stock package. `run` blocks the thread until the model is done. */
export interface StockSession {
  readonly signature: Signature;
  readonly providers: readonly string[];
  /** Throws the package's own errors. */
  run(inputs: readonly TensorValue[], outputs: readonly string[]): Promise<readonly TensorValue[]>;
  release(): Promise<void>;
}

const ORT_TYPES: Readonly<Partial<Record<Datatype, ort.Tensor.Type>>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};
const DATATYPES = new Map(Object.entries(ORT_TYPES).map(([datatype, type]) => [type, datatype as Datatype]));
/**
 * Where there is a Float16Array the package's script makes FP16 tensors of it, which its native half takes for empty;
 * elsewhere of bits, as we have them. This process runs a model and nothing else.
 */
Reflect.deleteProperty(globalThis, 'Float16Array');
/** Fatal only: a failing run is reported once, by us. */
const LOG_FATAL = 4;
ort.env.logLevel = 'fatal';

/** Opens a model. Throws Failure ModelInvalid. */
export async function openStock(model: ChildModel, log: (sentence: string) => void): Promise<StockSession> {
  const { path, cache } = model;
  let { plan } = model;
  const open = async (from: string, used: SessionPlan, into?: string): Promise<ort.InferenceSession> => {
    try {
      return await create(model, from, used, into);
    } catch (error) {
      const [provider] = used.gpuProviders;
      const cause = gpuCause(error);
      if (!provider || cause === undefined) throw invalidModel(error, { path: from, version: ort.env.versions.common });
      if (!used.mayFallBack) throw noProvider(provider, cause);
      log(withoutProvider(provider, cause));
      plan = { ...plan, gpuProviders: [] };
      return open(from, { ...used, gpuProviders: [] }, into);
    }
  };
  const session = await (cache
    ? openCached({
        ...cache,
        log,
        open: (into) => open(path, plan, into),
        openOptimized: (from) => open(from, { ...plan, optimization: 'disabled' }),
      })
    : open(path, plan));
  return {
    signature: { inputs: session.inputMetadata.map(tensorOf), outputs: session.outputMetadata.map(tensorOf) },
    providers: [...plan.gpuProviders, 'cpu'],
    run: async (inputs, outputs) => {
      const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrt(input)]));
      const answers = await session.run(feeds, outputs);
      return outputs.map((name) => fromOrt(name, answers[name]));
    },
    release: () => session.release(),
  };
}

function create({ device }: ChildModel, path: string, plan: SessionPlan, into?: string): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: plan.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: plan.optimization,
    logSeverityLevel: LOG_FATAL,
    executionProviders: [...plan.gpuProviders.map((name) => ({ name, deviceId: device })), 'cpu'],
    ...(into === undefined ? {} : { optimizedModelFilePath: join(into, OPTIMIZED_MODEL) }),
    extra: nested({ ...plan.entries, ...(into === undefined ? {} : WEIGHTS_APART) }),
  };
  return ort.InferenceSession.create(path, options);
}

/** {'a.b': '1'} as {a: {b: '1'}}: the package joins the keys again. */
export function nested(entries: Readonly<Record<string, string>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(entries)) {
    const parts = key.split('.');
    let folder = root;
    for (const part of parts.slice(0, -1)) {
      folder[part] ??= {};
      folder = folder[part] as Record<string, unknown>;
    }
    folder[parts.at(-1) as string] = value;
  }
  return root;
}

function tensorOf(value: ort.InferenceSession.ValueMetadata): Tensor {
  if (!value.isTensor) {
    throw new Failure('ModelInvalid', `"${value.name}" is not a tensor; export the model without it.`);
  }
  const datatype = DATATYPES.get(value.type);
  if (!datatype) {
    throw new Failure(
      'ModelInvalid',
      `"${value.name}" is ${value.type}, which the node backend does not serve; write "backend": "ffi".`,
    );
  }
  return { name: value.name, datatype, shape: value.shape.map((size) => (typeof size === 'number' ? size : -1)) };
}

const toOrt = ({ datatype, elements, shape }: TensorValue): ort.Tensor =>
  new ort.Tensor(ORT_TYPES[datatype] as ort.Tensor.Type, elements as ort.Tensor.DataType, shape);

function fromOrt(name: string, tensor: ort.Tensor | undefined): TensorValue {
  const datatype = tensor && DATATYPES.get(tensor.type);
  if (!datatype) throw new Error(`output "${name}" is not a tensor that can be served`);
  return { name, datatype, shape: tensor.dims, elements: tensor.data as Elements };
}
