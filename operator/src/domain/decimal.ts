const DIGITS = 6;

/**
 * A number as the string a status carries: six significant digits, at most 24 characters, and no exponent for anything
 * of everyday size, as people and `kubectl` columns read those badly. Below 1e-12 it is 0; only from 1e21 on does it
 * have an exponent.
 */
export function decimalText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const rounded = String(Number(value.toPrecision(DIGITS)));
  if (!rounded.includes('e-')) return rounded;
  const plain = value.toFixed(12).replace(/\.?0+$/, '');
  return plain === '-0' ? '0' : plain;
}
