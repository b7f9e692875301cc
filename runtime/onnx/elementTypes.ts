import type { Tensor } from '@slipway/crds/contract';

/** Open Inference Protocol datatypes as TensorProto.DataType of the ONNX specification; the C API has the same numbers. */
export const ELEMENT_TYPES = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
} as const satisfies Record<Tensor['datatype'], number>;
export type ElementType = keyof typeof ELEMENT_TYPES;
