import type { Signature, Tensor } from '@slipway/crds/contract';
import * as ort from 'onnxruntime-node';
import { Failure, sentenceOf } from '../artifact/failure.ts';
import type { Datatype, Elements } from './datatypes.ts';
import { EngineError, type TensorValue } from './engine.ts';

/** A loaded model on this thread. `run` blocks the thread until the model is done. */
export interface Session {
  readonly signature: Signature;
  /** Throws EngineError ModelFailed. */
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
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};
const DATATYPES = new Map(Object.entries(ORT_TYPES).map(([datatype, type]) => [type, datatype as Datatype]));

/** Threads that spin while idle cost a pod whole CPUs for microseconds of latency. */
const NO_SPINNING = { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } };
/** Fatal only: a failing run is reported once, by us, and not also on stderr for each request. */
const LOG_FATAL = 4;

/** Loads a model file with `threads` intra-op threads. Throws Failure ModelInvalid. */
export async function openSession(path: string, threads: number): Promise<Session> {
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: LOG_FATAL,
    extra: NO_SPINNING,
  }).catch((error: unknown) => {
    throw new Failure('ModelInvalid', `The model cannot be loaded: ${plain(error)}.`);
  });
  return {
    signature: { inputs: session.inputMetadata.map(tensorOf), outputs: session.outputMetadata.map(tensorOf) },
    run: (inputs, outputs) => run(session, inputs, outputs),
    release: () => session.release(),
  };
}

function tensorOf(value: ort.InferenceSession.ValueMetadata): Tensor {
  if (!value.isTensor)
    throw new Failure('ModelInvalid', `"${value.name}" is not a tensor; export the model without it.`);
  const datatype = DATATYPES.get(value.type);
  if (!datatype) {
    throw new Failure(
      'ModelInvalid',
      `"${value.name}" is ${value.type}, which is not served; cast it inside the model.`,
    );
  }
  return { name: value.name, datatype, shape: value.shape.map((size) => (typeof size === 'number' ? size : -1)) };
}

async function run(
  session: ort.InferenceSession,
  inputs: readonly TensorValue[],
  outputs: readonly string[],
): Promise<readonly TensorValue[]> {
  try {
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrt(input)]));
    const answers = await session.run(feeds, outputs);
    return outputs.map((name) => fromOrt(name, answers[name]));
  } catch (error) {
    throw new EngineError('ModelFailed', plain(error));
  }
}

const toOrt = ({ datatype, elements, shape }: TensorValue): ort.Tensor =>
  new ort.Tensor(ORT_TYPES[datatype] as ort.Tensor.Type, elements as ort.Tensor.DataType, shape);

function fromOrt(name: string, tensor: ort.Tensor | undefined): TensorValue {
  const datatype = tensor && DATATYPES.get(tensor.type);
  if (!datatype) throw new Error(`output "${name}" is not a tensor that can be served`);
  return { name, datatype, shape: tensor.dims, elements: tensor.data as Elements };
}

/** The clause in an engine message: without status codes, paths, C++ signatures and the full stop. */
export const plain = (error: unknown): string =>
  sentenceOf(error)
    .replace(/^.*Status Message: /, '')
    .replace(/^Load model from \S+ failed:\s*/, '')
    .replace(/^\S*\/onnxruntime\/\S+:\d+ .*?\) /, '')
    .replace(/\.$/, '');
