/** Most bytes that one FP32 takes: sign, nine digits, point, exponent of two digits with its sign. */
export const MOST_FLOAT_BYTES = 16;

const powerOf = (k: number): number => Number(`1e${k}`);
const MOST_EXACT = 22;
/** 10^k for k from -22 to 22, exact from 0 on. */
const TENS = Float64Array.from({ length: 2 * MOST_EXACT + 2 }, (_, i) => powerOf(i - MOST_EXACT));
const tenTo = (k: number): number => TENS[k + MOST_EXACT] as number;

/**
 * By the exponent byte of an FP32: the power of ten that brings the smallest such value to nine digits before the
 * point; 99 where a power of ten on the way is not exact in a double.
 */
const SCALES = Int8Array.from({ length: 256 }, (_, exponent) => {
  const scale = 8 - Math.floor(Math.log10(2 ** (exponent - 127)));
  return exponent === 0 || scale > MOST_EXACT || scale < 4 - MOST_EXACT ? 99 : scale;
});
/** By the exponent byte: half the distance to the next FP32. */
const HALF_STEPS = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (exponent - 127 - 24));

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/**
 * Writes a finite FP32 as the shortest decimal that is read back as the same FP32, and answers the position after it.
 * Nine digits always do (IEEE 754); fewer are tried first, and each try is proven by the reader's own conversion: a whole
 * number below 2^53 and one exact power of ten give the double that JSON.parse gives, and its FP32 must be the value.
 */
export function writeFloat(target: Uint8Array, at: number, value: number): number {
  let p = at;
  let size = value;
  if (value < 0 || (value === 0 && 1 / value < 0)) {
    target[p++] = 45;
    size = -value;
  }
  if (size < 100_000_000 && size === (size | 0)) return writeWhole(target, p, size);
  single[0] = size;
  const exponent = (bits[0] as number) >>> 23;
  let scale = SCALES[exponent] as number;
  if (scale === 99) return writeText(target, p, shortestText(size));
  let scaled = size * tenTo(scale);
  if (scaled >= 1e9) scaled = size * tenTo(--scale);
  const half = (HALF_STEPS[exponent] as number) * tenTo(scale) * 1.0000001; // ties are for the proof to decide
  let digits = (scaled * 1e-3 + 0.5) | 0;
  let dropped = 3;
  if (Math.abs(digits * 1000 - scaled) > half || !reads(digits, scale - 3, size)) {
    digits = (scaled * 1e-2 + 0.5) | 0;
    dropped = 2;
    if (Math.abs(digits * 100 - scaled) > half || !reads(digits, scale - 2, size)) {
      digits = (scaled * 1e-1 + 0.5) | 0;
      dropped = 1;
      if (!reads(digits, scale - 1, size)) {
        digits = (scaled + 0.5) | 0;
        dropped = 0;
        if (!reads(digits, scale, size)) return writeText(target, p, shortestText(size));
      }
    }
  }
  let length = 9 - dropped;
  if (digits >= (tenTo(length) as number)) length++; // rounded up to one digit more
  while (digits % 10 === 0) {
    digits = (digits / 10) | 0;
    length--;
    dropped++;
  }
  return writeDigits(target, p, digits, length, length - scale + dropped);
}

const reads = (digits: number, scale: number, value: number): boolean =>
  Math.fround(scale >= 0 ? digits / tenTo(scale) : digits * tenTo(-scale)) === value;

/** Seldom: subnormals, and what lies outside 1e-14 to 1e26. */
function shortestText(value: number): string {
  for (let precision = 1; precision < 9; precision++) {
    const text = value.toExponential(precision - 1);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential(8);
}

function writeText(target: Uint8Array, at: number, text: string): number {
  let p = at;
  for (let i = 0; i < text.length; i++) target[p++] = text.charCodeAt(i);
  return p;
}

/** 0.d × 10^point with `length` digits d. */
function writeDigits(target: Uint8Array, at: number, digits: number, length: number, point: number): number {
  if (point > 12 || point < -4) return writeText(target, at, exponential(digits, length, point));
  let p = at;
  if (point <= 0) {
    target[p++] = 48;
    target[p++] = 46;
    for (let zeros = point; zeros < 0; zeros++) target[p++] = 48;
    return writeRight(target, p, digits, length);
  }
  if (point >= length) {
    p = writeRight(target, p, digits, length);
    for (let zeros = point - length; zeros > 0; zeros--) target[p++] = 48;
    return p;
  }
  const unit = tenTo(length - point);
  const whole = Math.floor(digits / unit);
  p = writeRight(target, p, whole, point);
  target[p++] = 46;
  return writeRight(target, p, digits - whole * unit, length - point);
}

function exponential(digits: number, length: number, point: number): string {
  const text = String(digits);
  return `${text.slice(0, 1)}${length > 1 ? `.${text.slice(1)}` : ''}e${point - 1}`;
}

function writeWhole(target: Uint8Array, at: number, whole: number): number {
  let length = 1;
  for (let bound = 10; whole >= bound; bound *= 10) length++;
  return writeRight(target, at, whole, length);
}

/** Two digits at a time: each division costs as much as all else of its turn. */
function writeRight(target: Uint8Array, at: number, whole: number, length: number): number {
  let rest = whole | 0;
  let p = at + length - 1;
  while (p > at) {
    const next = (rest / 100) | 0;
    const pair = rest - next * 100;
    const tens = (pair * 103) >> 10; // pair / 10 for all below 179
    target[p--] = 48 + pair - tens * 10;
    target[p--] = 48 + tens;
    rest = next;
  }
  if (p === at) target[p] = 48 + rest;
  return at + length;
}
