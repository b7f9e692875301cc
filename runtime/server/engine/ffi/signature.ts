import type { Signature, Tensor } from '@slipway/crds/contract';
import koffi from 'koffi';
import { Failure } from '../../../artifact/failure.ts';
import { ELEMENT_TYPES } from '../../../onnx/elementTypes.ts';
import type { Datatype } from '../../tensor.ts';
import { cells } from './cells.ts';
import { check, created, type Library } from './library.ts';

export const DATATYPES: ReadonlyMap<number, Datatype> = new Map(
  Object.entries(ELEMENT_TYPES).map(([datatype, type]) => [type, datatype as Datatype]),
);

const ONNX_TYPE_TENSOR = 1;

/** Reads what a session takes and gives. Throws Failure ModelInvalid where that is something no protocol can carry. */
export function readSignature(library: Library, session: bigint): Signature {
  const { api } = library;
  return {
    inputs: readSide(library, session, api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo),
    outputs: readSide(
      library,
      session,
      api.SessionGetOutputCount,
      api.SessionGetOutputName,
      api.SessionGetOutputTypeInfo,
    ),
  };
}

type StatusFunction = Library['api']['SessionGetInputName'];

function readSide(
  { api, allocator }: Library,
  session: bigint,
  count: StatusFunction,
  nameOf: StatusFunction,
  typeOf: StatusFunction,
): Tensor[] {
  const out = cells(1);
  const size = Number(created(api, out, (at) => count(session, at)));
  return Array.from({ length: size }, (_, i) => {
    const text = created(api, out, (at) => nameOf(session, i, allocator, at));
    const name = koffi.decode.string(text);
    check(api, api.AllocatorFree(allocator, text));
    const info = created(api, out, (at) => typeOf(session, i, at));
    try {
      return { name, ...readType(api, name, info) };
    } finally {
      api.ReleaseTypeInfo(info);
    }
  });
}

function readType(api: Library['api'], name: string, info: bigint): Omit<Tensor, 'name'> {
  const out = cells(1);
  const number = (read: (at: bigint) => bigint | null) => {
    out.values[0] = 0n;
    return Number(created(api, out, read));
  };
  if (number((at) => api.GetOnnxTypeFromTypeInfo(info, at)) !== ONNX_TYPE_TENSOR) {
    throw new Failure('ModelInvalid', `"${name}" is not a tensor; export the model without it.`);
  }
  const tensor = created(api, out, (at) => api.CastTypeInfoToTensorInfo(info, at));
  const datatype = DATATYPES.get(number((at) => api.GetTensorElementType(tensor, at)));
  if (!datatype) {
    throw new Failure('ModelInvalid', `"${name}" has elements that are not served; cast it inside the model.`);
  }
  const rank = number((at) => api.GetDimensionsCount(tensor, at));
  const dimensions = cells(rank);
  if (rank > 0) check(api, api.GetDimensions(tensor, dimensions.at[0] as bigint, rank));
  return {
    datatype,
    shape: Array.from(dimensions.values.subarray(0, rank), (size) => Number(BigInt.asIntN(64, size))),
  };
}
