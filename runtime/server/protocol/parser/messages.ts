import type { TensorValue } from '../../tensor.ts';

/** To the parser: read the list bytes[start…stop] into the tensor. Both lie in shared memory, nothing is copied. */
export interface ReadOrder {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly stop: number;
  readonly into: TensorValue;
}

/** Back: `refusal` is what the caller is to be told, `broken` a fault of ours. */
export interface ReadReport {
  readonly id: number;
  readonly refusal?: { readonly status: number; readonly sentence: string };
  readonly broken?: string;
}
