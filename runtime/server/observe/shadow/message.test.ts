import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roomFor, sizeOf, type TensorValue } from '../../tensor.ts';
import { inferRequest, readInferAnswer } from './message.ts';

const DATATYPES = ['BOOL', 'UINT8', 'INT16', 'INT64', 'FP16', 'BF16', 'FP32', 'FP64', 'BYTES'] as const;

/** Tensors of any datatype and small shape, empty ones among them. */
const tensor: fc.Arbitrary<TensorValue> = fc
  .tuple(fc.constantFrom(...DATATYPES), fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }), fc.string(), fc.nat(1))
  .map(([datatype, shape, text, bit]) => {
    const elements = roomFor(datatype, sizeOf(shape));
    if (Array.isArray(elements)) elements.fill(text.toWellFormed());
    else if (elements instanceof BigInt64Array) elements.fill(BigInt(bit) * 2n ** 60n);
    else (elements as Uint8Array).fill(bit);
    return { name: `t${datatype}`, datatype, shape, elements };
  });

/** An answer carries outputs as a request carries inputs. */
function answerOf(outputs: readonly TensorValue[]): { jsonLength: number; body: Buffer } {
  const { parts, jsonLength } = inferRequest('r1', outputs, []);
  const [json, ...raw] = parts as [Uint8Array, ...Uint8Array[]];
  const { inputs } = JSON.parse(Buffer.from(json).toString());
  const header = Buffer.from(JSON.stringify({ outputs: inputs }));
  expect(jsonLength).toBe(json.length);
  return { jsonLength: header.length, body: Buffer.concat([header, ...raw]) };
}

test('every tensor that is written is read back as it was', () => {
  fc.assert(
    fc.property(fc.array(tensor, { maxLength: 4 }), (outputs) => {
      const { jsonLength, body } = answerOf(outputs);
      expect(readInferAnswer(jsonLength, body)).toEqual(outputs);
    }),
  );
});

test('an answer that is bent, cut or lies about its length is read or refused, and never more than that', () => {
  const bend = fc.record({ at: fc.nat(), byte: fc.nat(255), keep: fc.nat(), shift: fc.integer({ min: -3, max: 3 }) });
  fc.assert(
    fc.property(fc.array(tensor, { minLength: 1, maxLength: 3 }), bend, (outputs, { at, byte, keep, shift }) => {
      const { jsonLength, body } = answerOf(outputs);
      body[at % body.length] = byte;
      const cut = body.subarray(0, body.length - (keep % 5));
      try {
        for (const { shape, elements } of readInferAnswer(jsonLength + shift, cut)) {
          expect(elements).toHaveLength(sizeOf(shape));
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each<[string, unknown]>([
  ['no outputs', {}],
  ['outputs that are no list', { outputs: 7 }],
  ['an output that is nothing', { outputs: [null] }],
  [
    'a datatype of its own',
    { outputs: [{ name: 'y', datatype: 'toString', shape: [1], parameters: { binary_data_size: 4 } }] },
  ],
  [
    'a shape below zero',
    { outputs: [{ name: 'y', datatype: 'FP32', shape: [-1], parameters: { binary_data_size: 4 } }] },
  ],
  [
    'a size that is no number',
    { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], parameters: { binary_data_size: '4' } }] },
  ],
  ['no size', { outputs: [{ name: 'y', datatype: 'FP32', shape: [1] }] }],
])('an answer with %s is refused', (_, answer) => {
  const json = Buffer.from(JSON.stringify(answer));
  expect(() => readInferAnswer(json.length, Buffer.concat([json, Buffer.alloc(4)]))).toThrow(/^(the answer|an output)/);
});
