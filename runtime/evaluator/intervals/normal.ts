/** Two-sided 95 % quantile of the normal distribution. */
export const Z95 = 1.959963984540054;

/** Standard normal distribution function, within 1e-7 (Abramowitz and Stegun 1964, 26.2.17 by 7.1.26's erf). */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    Math.exp(-(x ** 2) / 2) *
    0.3989422804014327 *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
}

const A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const B = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
const C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const D = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
const EDGE = 0.02425;

/** Its inverse, within 1.2e-9 of the value relatively (Acklam 2003). */
export function normalQuantile(p: number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p > 1 - EDGE) return -normalQuantile(1 - p);
  if (p < EDGE) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(C, q) / polynomial([...D, 1], q);
  }
  const q = p - 0.5;
  return (polynomial(A, q * q) * q) / polynomial([...B, 1], q * q);
}

/** Student's t quantile for a normal quantile z, within 1e-3 from 8 degrees of freedom on (Hill 1970's expansion). */
export function studentQuantile(z: number, degrees: number): number {
  if (degrees < 1) return Number.POSITIVE_INFINITY;
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * degrees) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * degrees ** 3)
  );
}
