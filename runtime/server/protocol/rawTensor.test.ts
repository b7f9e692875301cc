import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tensorOf } from '../../test/protocolModel.ts';
import { ARRAYS, type NumericDatatype } from '../tensor.ts';
import { readRaw, writeRaw } from './rawTensor.ts';

const roundTrip = (bytes: Uint8Array, datatype: NumericDatatype | 'BYTES', shape: readonly number[]) => {
  const into = tensorOf('x', datatype, shape, []);
  readRaw(bytes, into);
  return into;
};

test.each(Object.keys(ARRAYS) as NumericDatatype[])(
  '%s comes back as the bytes it was, from any offset',
  (datatype) => {
    const size = ARRAYS[datatype].BYTES_PER_ELEMENT;
    const bytes = Uint8Array.from({ length: 1 + 3 * size }, (_, i) => (datatype === 'BOOL' ? i % 2 : (i * 37) % 256));
    const value = roundTrip(bytes.subarray(1), datatype, [3]);
    expect(Buffer.from(writeRaw(value))).toEqual(Buffer.from(bytes.subarray(1)));
  },
);

test('texts come back as they were, with their lengths in bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed())), (texts) => {
      const bytes = writeRaw(tensorOf('x', 'BYTES', [texts.length], texts));
      expect(roundTrip(bytes, 'BYTES', [texts.length]).elements).toEqual(texts);
    }),
  );
});

test.each<[string, number[], NumericDatatype | 'BYTES', string]>([
  ['a byte too few', [0, 0, 0], 'FP32', 'Input "x": 3 bytes given, shape [1] of FP32 needs 4.'],
  ['a byte too many', [0, 0, 0], 'INT16', 'Input "x": 3 bytes given, shape [1] of INT16 needs 2.'],
  ['a truth that is 2', [2], 'BOOL', 'Input "x": element 0 is the byte 2, BOOL takes 0 or 1.'],
  ['half a length', [1, 0], 'BYTES', 'Input "x": the bytes end before the length of element 0.'],
  ['half a text', [2, 0, 0, 0, 65], 'BYTES', 'Input "x": element 0 is 2 bytes long, the bytes end before that.'],
  [
    'a huge length',
    [255, 255, 255, 255],
    'BYTES',
    'Input "x": element 0 is 4294967295 bytes long, the bytes end before that.',
  ],
  ['bytes left over', [1, 0, 0, 0, 65, 66], 'BYTES', 'Input "x": 1 bytes are left over after 1 elements.'],
  ['no UTF-8', [1, 0, 0, 0, 255], 'BYTES', 'Input "x": element 0 is not UTF-8, BYTES takes text.'],
])('%s is refused', (_, bytes, datatype, sentence) => {
  expect(() => roundTrip(Uint8Array.from(bytes), datatype, [1])).toThrow(
    expect.objectContaining({ status: 400, message: sentence }),
  );
});
