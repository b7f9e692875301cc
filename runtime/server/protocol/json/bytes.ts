const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;

/** The position of the first byte from `at` on that is no JSON white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let p = at;
  while (isSpace(bytes[p])) p++;
  return p;
}

function digitsEnd(bytes: Uint8Array, at: number): number {
  let p = at;
  while (isDigit(bytes[p])) p++;
  return p;
}

/** The position after the JSON number (RFC 8259 §6) that starts at `at`; -1 where none does. */
export function numberEnd(bytes: Uint8Array, at: number): number {
  const whole = bytes[at] === 45 ? at + 1 : at;
  let p = digitsEnd(bytes, whole);
  if (p === whole || (bytes[whole] === 48 && p > whole + 1)) return -1;
  if (bytes[p] === 46) {
    const fraction = p + 1;
    p = digitsEnd(bytes, fraction);
    if (p === fraction) return -1;
  }
  if (bytes[p] !== 101 && bytes[p] !== 69) return p;
  const sign = bytes[p + 1] === 43 || bytes[p + 1] === 45 ? p + 2 : p + 1;
  p = digitsEnd(bytes, sign);
  return p === sign ? -1 : p;
}
