import type { Prediction } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSlice, rowsOfSlice } from './sliceExpression.ts';

const rows: Prediction[] = [
  { id: 0, label: 0, prediction: 0, slice: { weekend: 1, carrier: 'AA', hour: 7, day: '2026-01-03' } },
  { id: 1, label: 0, prediction: 0, slice: { weekend: 0, carrier: 'DL', hour: 19, day: '2026-01-05' } },
  { id: 2, label: 0, prediction: 0, slice: { weekend: '1', carrier: 'A "quoted" & co', hour: 23, day: '2026-02-01' } },
  { id: 3, label: 0, prediction: 0, slice: { carrier: '7' } },
  { id: 4, label: 0, prediction: 0 },
];
const of = (expression: string) => rowsOfSlice(expression, rows, 'g');

describe('a slice', () => {
  it.each([
    ['weekend == 1', [0, 2]],
    ['weekend != 1', [1]],
    ['weekend == 1 && hour < 12', [0]],
    ['hour >= 19&&hour<=23', [1, 2]],
    ['hour > 7.5', [1, 2]],
    ['carrier == "AA"', [0]],
    ['carrier == "A \\"quoted\\" & co"', [2]],
    ['carrier == 7', [3]],
    ['hour > -1e3', [0, 1, 2]],
    ['day >= "2026-01-04"', [1, 2]],
    ['carrier > 5', [3]],
    ['weekend == 1 && carrier == "DL"', []],
  ])('%s holds rows %j', (expression, wanted) => {
    expect(of(expression)).toEqual(wanted);
  });

  it.each([
    '',
    'weekend',
    'weekend = 1',
    'weekend == one',
    'weekend == 1 &&',
    '1 == weekend',
    'a == 1 || b == 2',
    'a == "x',
  ])('that reads %j is refused with how to write one', (expression) => {
    expect(() => parseSlice(expression)).toThrow(
      /write <column> ==, !=, <, <=, > or >= and a number or "text", joined by &&/,
    );
  });

  it('by order holds no prediction whose cell is empty: a value that is missing is not 0', () => {
    const all = ['', 17, '30'].map((age, id): Prediction => ({ id, label: 0, prediction: 0, slice: { age } }));
    expect(rowsOfSlice('age < 18', all, 'g')).toEqual([1]);
    expect(rowsOfSlice('age >= 0', all, 'g')).toEqual([1, 2]);
    expect(rowsOfSlice('age == ""', all, 'g')).toEqual([0]);
  });

  it('of a column that is nowhere names those there are', () => {
    expect(() => of('wekend == 1')).toThrow(
      'Gate g: no prediction has a slice column "wekend"; those there are: carrier, day, hour, weekend.',
    );
    expect(() => rowsOfSlice('a == 1', [{ id: 1, label: 1, prediction: 1 }], 'g')).toThrow('write "slice" to each');
  });

  it('of a text finds it whatever it holds', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const escaped = text.replace(/[\\"]/g, '\\$&');
        fc.pre(!/[\n\r\u2028\u2029]/.test(text));
        const all: Prediction[] = [{ id: 1, label: 0, prediction: 0, slice: { column: text } }];
        expect(rowsOfSlice(`column == "${escaped}"`, all, 'g')).toEqual([0]);
      }),
    );
  });
});
