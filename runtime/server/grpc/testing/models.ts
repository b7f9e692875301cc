import { node, value } from '../../../onnx/builders.ts';
import type { OnnxModel } from '../../../onnx/model.ts';
import { echo as echoOfTwo } from '../../../test/artifacts.ts';
import type { Datatype } from '../../tensor.ts';

/** Two rows of each datatype, as their raw bytes and as typed contents, where there are any. */
export const SAMPLES: readonly (readonly [
  Datatype,
  Buffer,
  Readonly<Record<string, readonly unknown[]>> | undefined,
])[] = [
  ['BOOL', Buffer.from([1, 0]), { bool_contents: [true, false] }],
  ['UINT8', Buffer.from([255, 7]), { uint_contents: [255, 7] }],
  ['UINT16', raw(new Uint16Array([65_535, 7])), { uint_contents: [65_535, 7] }],
  ['UINT32', raw(new Uint32Array([4_294_967_295, 7])), { uint_contents: [4_294_967_295, 7] }],
  ['UINT64', raw(new BigUint64Array([2n ** 64n - 1n, 7n])), { uint64_contents: ['18446744073709551615', '7'] }],
  ['INT8', raw(new Int8Array([-128, 7])), { int_contents: [-128, 7] }],
  ['INT16', raw(new Int16Array([-32_768, 7])), { int_contents: [-32_768, 7] }],
  ['INT32', raw(new Int32Array([-2_147_483_648, 7])), { int_contents: [-2_147_483_648, 7] }],
  ['INT64', raw(new BigInt64Array([-(2n ** 63n), 7n])), { int64_contents: ['-9223372036854775808', '7'] }],
  ['FP16', raw(new Float16Array([-1.5, 7])), undefined],
  ['BF16', raw(new Uint16Array([0x3fc0, 0x40e0])), undefined],
  ['FP32', raw(new Float32Array([-1.5, 7])), { fp32_contents: [-1.5, 7] }],
  ['FP64', raw(new Float64Array([Math.PI, 7])), { fp64_contents: [Math.PI, 7] }],
  ['BYTES', texts('Ωmega', ''), { bytes_contents: [Buffer.from('Ωmega'), Buffer.from('')] }],
];

function raw({ buffer }: { readonly buffer: ArrayBufferLike }): Buffer {
  return Buffer.from(buffer);
}

/** BYTES as they lie on the wire. */
export function texts(...values: readonly string[]): Buffer {
  const parts = values.flatMap((text) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(text));
    return [length, Buffer.from(text)];
  });
  return Buffer.concat(parts);
}

/** Answers a tensor of each datatype: `in_FP32` comes back as `out_FP32`. */
export const echo: OnnxModel = {
  name: 'echo',
  inputs: SAMPLES.map(([datatype]) => value(`in_${datatype}`, datatype, [-1])),
  outputs: SAMPLES.map(([datatype]) => value(`out_${datatype}`, datatype, [-1])),
  initializers: [],
  nodes: SAMPLES.map(([datatype]) => node('Identity', [`in_${datatype}`], `out_${datatype}`)),
};

/** The smallest thing to ask. */
export const pair: OnnxModel = { ...echoOfTwo, name: 'pair' };

/** A message for `pair` with these numbers, two a row. */
export const pairRequest = (...numbers: readonly number[]) => pairOf(new Float32Array(numbers));

export const pairOf = (numbers: Float32Array<ArrayBuffer>) => ({
  model_name: 'pair',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [numbers.length / 2, 2] }],
  raw_input_contents: [raw(numbers)],
});

/** The numbers of the one raw output of an answer. */
export const floatsOf = (message: Readonly<Record<string, unknown>>): readonly number[] =>
  Array.from(rawFloats(message));

export function rawFloats(message: Readonly<Record<string, unknown>>): Float32Array {
  const [bytes] = message['raw_output_contents'] as readonly Uint8Array[];
  return new Float32Array(Uint8Array.from(bytes ?? []).buffer);
}
