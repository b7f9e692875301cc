import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MOST_FLOAT_BYTES, writeFloat } from './writeFloats.ts';

const target = Buffer.alloc(64);
const written = (value: number): string => target.toString('latin1', 0, writeFloat(target, 0, value));

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);
const ofBits = (pattern: number): number => {
  bits[0] = pattern;
  return single[0] as number;
};

const digitsOf = (text: string): number => text.replace(/e.*|[-.]/g, '').replace(/^0+|0+$/g, '').length;

function fewestDigits(value: number): number {
  for (let precision = 1; ; precision++) {
    if (Math.fround(Number(value.toExponential(precision - 1))) === value) return precision;
  }
}

test.each<[number, string]>([
  [0, '0'],
  [-0, '-0'],
  [1, '1'],
  [-2.5, '-2.5'],
  [0.1, '0.1'],
  [1 / 3, '0.33333334'],
  [100, '100'],
  [0.00001, '0.00001'],
  [1e-7, '1e-7'],
  [16777216, '16777216'],
  [1e10, '10000000000'],
  [3.4028234663852886e38, '3.4028235e+38'],
  [1.401298464324817e-45, '1e-45'],
  [1.1754943508222875e-38, '1.1754944e-38'],
])('%d is written as %s', (value, text) => {
  expect(written(Math.fround(value))).toBe(text);
});

test('a million random FP32, of every sort, are read back bit by bit', () => {
  let state = 7;
  const wrong: string[] = [];
  for (let i = 0; i < 1_000_000; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = ofBits(state);
    if (!Number.isFinite(value)) continue;
    const text = written(value);
    if (!Object.is(Math.fround(JSON.parse(text)), value) || text.length > MOST_FLOAT_BYTES) wrong.push(text);
  }
  expect(wrong).toEqual([]);
});

test('every power of two and its neighbours are read back, subnormal ones too', () => {
  for (let exponent = 0; exponent < 255; exponent++) {
    for (const offset of [-1, 0, 1]) {
      const value = ofBits(Math.max(0, (exponent << 23) + offset));
      if (Number.isFinite(value)) expect(Math.fround(JSON.parse(written(value)))).toBe(value);
    }
  }
  for (let shift = 0; shift < 23; shift++)
    expect(Math.fround(JSON.parse(written(ofBits(1 << shift))))).toBe(ofBits(1 << shift));
});

test('no digit is written that reading back does not need', () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(1e-30), max: Math.fround(1e8) }),
    fc.integer({ min: 0, max: 99_999 }).map((n) => Math.fround(n / 1000)),
  );
  fc.assert(
    fc.property(value, (number) => {
      const whole = Number.isInteger(number); // those are written with all their digits, which are as long
      if (!whole) expect(digitsOf(written(number))).toBe(fewestDigits(number));
    }),
    { numRuns: 5000 },
  );
});
