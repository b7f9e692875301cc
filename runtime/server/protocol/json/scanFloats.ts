import { numberEnd, skipSpace } from './bytes.ts';

/** 10^k, exact in a double up to k = 22. */
const TENS = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));
const MOST_DIGITS = 22;
/** From here on a whole number may not be what its digits say. */
const EXACT = 2 ** 53;
/** More than the relative error of a value built from more digits than a double holds: some thirty roundings of 2^-53. */
const ERROR = 1e-14;

/** Four ASCII digits become their values by an exclusive or with this; any other byte becomes more than nine. */
const ZEROS = 0x30303030;
/** Added to each of four bytes it sets the high bit of those above nine. */
const ABOVE_NINE = 0x76767676;
const HIGH_BITS = 0x80808080;

/** The number that four digits make, the first in the lowest byte. */
function four(digits: number): number {
  const pairs = (Math.imul(digits, 10) + (digits >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}

/** The same where digits were cut off behind the fifteenth. */
const CUT_ERROR = 2e-14;

const DOT = 46 ^ 48;
const LOWER_E = 101 ^ 48;
const UPPER_E = 69 ^ 48;

/**
 * Reads `count` JSON numbers, separated by commas, from bytes[at] on into target[index…] and answers the position after
 * the last one; -1 where anything else stands there, or a number too large for FP32. Each element is exactly
 * Math.fround(JSON.parse(text)), and proven where that is cheap: digits up to 2^53 and one exact power of ten give the
 * nearest double (Clinger, How to Read Floating Point Numbers Accurately, 1990); with more digits both ends of the error
 * interval must round to the same FP32; everything else is left to Number(). `view` lies on the memory of `bytes`.
 * A byte that ends a number must follow.
 */
export function scanFloats(
  bytes: Buffer,
  view: DataView,
  at: number,
  target: Float32Array,
  index: number,
  count: number,
): number {
  const lastFour = bytes.length - 4;
  const lastTwenty = bytes.length - 20;
  const end = index + count;
  let p = at;
  for (let i = index; i < end; i++) {
    if (i > index) {
      if ((bytes[p] as number) <= 32) p = skipSpace(bytes, p);
      if (bytes[p] !== 44) return -1;
      p++;
    }
    if ((bytes[p] as number) <= 32) p = skipSpace(bytes, p);
    const start = p;
    const negative = (((bytes[p] as number) ^ 45) - 1) >>> 31; // 1 for a minus, without a branch that half of all go wrong
    p += negative;
    const sign = 1 - 2 * negative;
    const whole = (bytes[p] as number) ^ 48;
    if (whole > 9) return -1;
    let mantissa = whole;
    let digit = (bytes[++p] as number) ^ 48; // 0 to 9 for a digit, more for any other byte
    if (digit < 10) {
      if (whole === 0) return -1; // JSON knows no leading zeros
      do {
        mantissa = mantissa * 10 + digit;
        digit = (bytes[++p] as number) ^ 48;
      } while (digit < 10);
    }
    let scale = 0;
    if (digit === DOT) {
      const first = ++p;
      // The form of an FP32 printed as a double, in one go: d.ddddddddddddddddd
      if (whole === mantissa && p <= lastTwenty) {
        const a = view.getInt32(p, true) ^ ZEROS;
        const b = view.getInt32(p + 4, true) ^ ZEROS;
        const c = view.getInt32(p + 8, true) ^ ZEROS;
        const d = view.getInt32(p + 12, true) ^ ZEROS;
        const noDigit = (a + ABOVE_NINE) | a | (b + ABOVE_NINE) | b | (c + ABOVE_NINE) | c | (d + ABOVE_NINE) | d;
        const tail = view.getInt32(p + 16, true) ^ ZEROS;
        const ends = ((tail + ABOVE_NINE) | tail) & HIGH_BITS;
        if ((noDigit & HIGH_BITS) === 0 && ends !== 0) {
          const digits = (whole * 1e8 + (four(a) * 10_000 + four(b))) * 1e8 + (four(c) * 10_000 + four(d));
          const value = digits * 1e-16;
          const low = Math.fround(value - value * CUT_ERROR);
          const after = p + 16 + ((31 - Math.clz32(ends & -ends)) >> 3); // past the digits among the last four bytes
          if (
            digits >= 1e14 &&
            low === Math.fround(value + value * CUT_ERROR) &&
            ((bytes[after] as number) | 32) !== 101
          ) {
            target[i] = low * sign;
            p = after;
            continue;
          }
        }
      }
      const lastGroup = Math.min(lastFour, first + MOST_DIGITS - 4);
      while (p <= lastGroup) {
        const digits = view.getInt32(p, true) ^ ZEROS;
        if ((((digits + ABOVE_NINE) | digits) & HIGH_BITS) !== 0) break; // one of the bytes is no digit
        mantissa = mantissa * 10_000 + four(digits);
        p += 4;
      }
      digit = (bytes[p] as number) ^ 48;
      while (digit < 10) {
        mantissa = mantissa * 10 + digit;
        digit = (bytes[++p] as number) ^ 48;
      }
      scale = p - first;
      if (scale === 0) return -1;
    }
    if (digit !== LOWER_E && digit !== UPPER_E && scale <= MOST_DIGITS && mantissa <= 1e31) {
      const value = mantissa / (TENS[scale] as number);
      const low = mantissa >= EXACT ? Math.fround(value - value * ERROR) : value;
      if (mantissa < EXACT || low === Math.fround(value + value * ERROR)) {
        target[i] = low * sign;
        continue;
      }
    }
    p = scanOne(bytes, start, target, i);
    if (p < 0) return -1;
  }
  return p;
}

/** Any JSON number, by the engine's own conversion. */
function scanOne(bytes: Buffer, at: number, target: Float32Array, index: number): number {
  const end = numberEnd(bytes, at);
  if (end < 0) return -1;
  target[index] = Number(bytes.toString('latin1', at, end));
  return Number.isFinite(target[index]) ? end : -1;
}
