import { expect, test } from 'vitest';
import { protocolModel, tensor } from '../../test/protocolModel.ts';
import { openLease, type TensorHeader } from './tensorHeader.ts';

const two = protocolModel({
  inputs: [tensor('a', 'FP32', [-1, 3]), tensor('b', 'BYTES', [-1])],
  outputs: [tensor('y', 'FP32', [-1])],
});
const header = (name: string, datatype: string, ...shape: number[]): TensorHeader => ({ name, datatype, shape });
const a = header('a', 'FP32', 2, 3);
const b = header('b', 'BYTES', 2);

test('room is leased in the order of the signature, whatever the order of the request', () => {
  const { lease, positions } = openLease([b, a], two);
  expect(positions).toEqual([1, 0]);
  expect(lease.inputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['a', [2, 3]],
    ['b', [2]],
  ]);
});

test.each<[string, TensorHeader[], string]>([
  ['an unknown input', [a, header('c', 'FP32', 2)], 'There is no input "c"; the model takes "a" and "b".'],
  ['an input given twice', [a, b, a], '"a" stands twice in "inputs".'],
  ['a missing input', [a], 'Input "b" is missing; the model takes "a" and "b".'],
  ['no input at all', [], 'Input "a" and "b" are missing; the model takes "a" and "b".'],
  ['another datatype', [header('a', 'FP64', 2, 3), b], 'Input "a": datatype "FP64" given, the model takes FP32.'],
  [
    'another rank',
    [header('a', 'FP32', 6), b],
    'Input "a": shape [6] does not fit [-1,3] of the model (-1 is any size).',
  ],
  [
    'another width',
    [header('a', 'FP32', 2, 4), b],
    'Input "a": shape [2,4] does not fit [-1,3] of the model (-1 is any size).',
  ],
  [
    'a size below zero',
    [header('a', 'FP32', -1, 3), b],
    'Input "a": shape [-1,3] must be whole numbers, none below 0.',
  ],
  ['half a row', [header('a', 'FP32', 1.5, 3), b], 'Input "a": shape [1.5,3] must be whole numbers, none below 0.'],
  [
    'no row',
    [header('a', 'FP32', 0, 3), header('b', 'BYTES', 0)],
    'Input "a": shape [0,3] holds no row; send at least one.',
  ],
  ['unequal rows', [a, header('b', 'BYTES', 3)], 'Input "a" has 2 rows and "b" has 3; send equally many.'],
  [
    'more than can be there',
    [header('a', 'FP32', 4, 3), header('b', 'BYTES', 4)],
    'Input "a": shape [4,3] means 12 elements, at most 10 can be here.',
  ],
])('%s is refused before anything is leased', (_, headers, sentence) => {
  const before = two.leases.given;
  expect(() => openLease(headers, two, 10)).toThrow(expect.objectContaining({ status: 400, message: sentence }));
  expect(two.leases.given).toBe(before);
});

test('rows without elements are bounded too', () => {
  const empty = protocolModel({ inputs: [tensor('x', 'FP32', [-1, -1])], outputs: [tensor('y', 'FP32', [-1, -1])] });
  openLease([header('x', 'FP32', 10, 0)], empty, 10).lease.release();
  expect(() => openLease([header('x', 'FP32', 11, 0)], empty, 10)).toThrow(
    expect.objectContaining({ status: 400, message: 'Input "x": shape [11,0] means 11 rows, at most 10 can be here.' }),
  );
});
