import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimalText } from './decimal.ts';

test.each([
  [3, '3'],
  [0.8123456789, '0.812346'],
  [-0.5, '-0.5'],
  [1e-7, '0.0000001'],
  [-1e-20, '0'],
  [1e300, '1e+300'],
  [123456.789, '123457'],
])('%d is written %s', (value, want) => expect(decimalText(value)).toBe(want));

test('every finite number fits 24 characters and reads back to six digits', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(decimalText(value).length).toBeLessThanOrEqual(24);
      expect(Math.abs(Number(decimalText(value)) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-5 + 1e-12);
    }),
  );
});
