/** 99.9 % point of the standard normal distribution. */
const Z = 3.090232306167813;

/**
 * 99.9 % point of χ² with k degrees of freedom: how far a row of k independent normal features lies from its mean, in
 * squared standard scores. Wilson and Hilferty (1931), "The Distribution of Chi-Square", PNAS 17: (χ²/k)^⅓ is nearly
 * normal with mean 1 − 2/(9k) and variance 2/(9k). 3 % too far at k = 1, 2 % at k = 3, less than 1 % from k = 10 on.
 */
export function chiSquarePoint(k: number): number {
  const variance = 2 / (9 * k);
  return k * (1 - variance + Z * Math.sqrt(variance)) ** 3;
}
