import { CODECS } from './datatypes.ts';
import { EngineError, type TensorValue } from './engine.ts';

export interface InferResponse {
  readonly model: string;
  readonly version: string;
  readonly id?: string;
  readonly outputs: readonly TensorValue[];
}

/**
 * Writes the answer as JSON text. 64-bit integers are written with all their digits, which JSON.stringify cannot do.
 * A float that is not finite is a fault of the model (EngineError ModelFailed, a 500): JSON cannot carry it, `null`
 * would be read as 0 by many a client, and a guard on errors must see a model that answers NaN.
 */
export function encodeInferResponse({ model, version, id, outputs }: InferResponse): string {
  const head = JSON.stringify({ model_name: model, model_version: version, id });
  return `${head.slice(0, -1)},"outputs":[${outputs.map(encodeTensor).join(',')}]}`;
}

function encodeTensor(tensor: TensorValue): string {
  const { name, datatype, shape, elements } = tensor;
  const codec = CODECS[datatype];
  if (!codec) throw new EngineError('ModelFailed', `output "${name}" is ${datatype}, which JSON cannot carry`);
  refuseNonFinite(tensor);
  const head = JSON.stringify({ name, datatype, shape });
  return `${head.slice(0, -1)},"data":${codec.encode(elements)}}`;
}

function refuseNonFinite({ name, elements }: TensorValue): void {
  if (!(elements instanceof Float32Array || elements instanceof Float64Array)) return;
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i];
    if (!Number.isFinite(element)) {
      throw new EngineError('ModelFailed', `element ${i} of output "${name}" is ${element}, which JSON cannot carry`);
    }
  }
}
