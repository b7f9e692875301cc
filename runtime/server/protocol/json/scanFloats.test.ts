import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanFloats } from './scanFloats.ts';

/** The elements that stand in the list, or undefined where the scanner gives up. */
function scan(text: string, count: number): Float32Array | undefined {
  const bytes = Buffer.from(`${text}]`);
  const target = new Float32Array(count);
  const end = scanFloats(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, target, 0, count);
  return end >= 0 && text.slice(end).trim() === '' ? target : undefined;
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);
const ofBits = (pattern: number): number => {
  bits[0] = pattern;
  return single[0] as number;
};
const anyFloat = fc.integer({ min: 0, max: 0xffffffff }).map(ofBits).filter(Number.isFinite);

/** Halfway between two neighbouring FP32, where a wrong last digit decides: exactly, a little less, a little more. */
const nearTie = fc
  .tuple(fc.integer({ min: 0x20000000, max: 0x60000000 }), fc.constantFrom('', '0000001', '1', '9'))
  .map(([pattern, tail]) => `${((ofBits(pattern) + ofBits(pattern + 1)) / 2).toFixed(20)}${tail}`);

const digits = (min: number, max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((all) => all.join(''));
const anyNumber = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits(1, 35).map((all) => all.replace(/^0+(?=.)/, '')),
    ),
    fc.oneof(
      fc.constant(''),
      digits(1, 30).map((all) => `.${all}`),
    ),
    fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-', 'e-'), digits(1, 2)).map((e) => e.join('')),
    ),
  )
  .map((parts) => parts.join(''));

const space = fc.constantFrom('', ' ', '\n', '\t \r');

const expectExact = (texts: readonly string[], between: string) => {
  const wanted = texts.map((text) => Math.fround(JSON.parse(text)));
  const read = scan(texts.join(`${between},${between}`), texts.length);
  if (wanted.every(Number.isFinite)) expect(read).toEqual(Float32Array.from(wanted));
  else expect(read).toBeUndefined();
};

test.each<[string, fc.Arbitrary<string>]>([
  ['doubles that were FP32, as Python and JavaScript print them', anyFloat.map(String)],
  ['doubles', fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)],
  ['shares', fc.double({ min: 0, max: 1, noNaN: true }).map(String)],
  ['numbers next to a tie', nearTie],
  ['every number that JSON knows', anyNumber],
])('%s are read as JSON.parse reads them', (_, number) => {
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 30 }), space, (texts, between) => {
      expectExact(texts, between);
    }),
    { numRuns: 2000 },
  );
});

test('a million random FP32 come back bit by bit', () => {
  let state = 1;
  const values = Float32Array.from({ length: 1_000_000 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = ofBits(state);
    return Number.isFinite(value) ? value : 0;
  });
  const read = scan(Array.from(values, String).join(', '), values.length) as Float32Array;
  expect(Buffer.compare(Buffer.from(read.buffer), Buffer.from(values.buffer))).toBe(0);
});

test.each(['9007199254740993', '0.9007199254740993', '9007199254740991.5', '16777217', '1.00000017881393432617187499'])(
  '%s, at the edge of a double, is read exactly',
  (text) => expectExact([text], ''),
);

test.each([
  '01',
  '-',
  '+1',
  '1.',
  '.5',
  '1e',
  '1e+',
  '0x1',
  '1 2',
  '1,',
  ',1',
  'NaN',
  'Infinity',
  '-Infinity',
  'null',
  '"1"',
  'true',
  '1.5.5',
  '--1',
  '1e5.5',
  '0.12345678901234567.8',
  '0.123456789012345678901234x',
  '12a',
  '1e400',
  '3.5e38',
  '[1]',
  '',
  '٣',
  '0.1234567890123456e',
  '0.12345678901234567e400',
])('%s is no element', (text) => {
  expect(scan(text, 1)).toBeUndefined();
  expect(scan(`1, ${text}`, 2)).toBeUndefined();
});
