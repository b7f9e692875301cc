import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NumericDatatype, viewOf } from '../../tensor.ts';
import { RANGES } from './datatypes.ts';
import { type Range, scanIntegers } from './scanIntegers.ts';

const DATATYPES = Object.keys(RANGES) as NumericDatatype[];

function scan(text: string, datatype: NumericDatatype, count: number) {
  const target = viewOf(datatype, new ArrayBuffer(8 * count), 0, count);
  const bytes = Buffer.from(`${text}]`);
  const end = scanIntegers(bytes, 0, target, 0, count, RANGES[datatype] as Range);
  return end >= 0 && text.slice(end).trim() === '' ? target : undefined;
}

test.each(DATATYPES)('every %s comes back with all its digits', (datatype) => {
  const { min, max } = RANGES[datatype] as Range;
  const anyInteger = fc.oneof(
    fc.bigInt({ min, max }),
    fc.bigInt({ min: min < -300n ? -300n : min, max: max > 300n ? 300n : max }),
    fc.constantFrom(min, max, 0n, ...[2n ** 31n, 2n ** 32n, 2n ** 53n, 10n ** 15n].filter((value) => value <= max)),
    fc.constantFrom(0n, ...[-(2n ** 31n), -(2n ** 32n), -(2n ** 53n) - 1n].filter((value) => value >= min)),
  );
  fc.assert(
    fc.property(fc.array(anyInteger, { minLength: 1, maxLength: 20 }), (values) => {
      const read = scan(values.join(' ,\n'), datatype, values.length);
      expect(Array.from(read as Iterable<number | bigint>, BigInt)).toEqual(values);
    }),
    { numRuns: 500 },
  );
});

test.each(DATATYPES)('what is beyond the range of %s is not read', (datatype) => {
  const { min, max } = RANGES[datatype] as Range;
  for (const value of [min - 1n, max + 1n, max * 10n, 10n ** 30n])
    expect(scan(`${value}`, datatype, 1)).toBeUndefined();
});

test.each(['', '-', '+1', '01', '-01', '1.0', '1e2', '0x1', '1 2', 'true', '"1"', 'null', '1,'])(
  '%s is no element',
  (text) => {
    for (const datatype of DATATYPES) expect(scan(text, datatype, 1)).toBeUndefined();
  },
);

test.each(['1.5', '1e2', '1E2'])('%s ends the reading where it stands', (text) => {
  const target = new Int32Array(1);
  expect(scanIntegers(Buffer.from(`${text}]`), 0, target, 0, 1, RANGES.INT32 as Range)).toBe(-1);
});

test('a minus before zero is zero', () => {
  for (const datatype of DATATYPES) {
    expect(Array.from(scan('-0', datatype, 1) as Iterable<number | bigint>, Number)).toEqual([0]);
  }
});
