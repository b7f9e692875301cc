/** Below this the asymptotic series is not exact to double precision; the recurrence lifts the argument over it. */
const ASYMPTOTIC_FROM = 15;

/**
 * ln Γ(x) for x > 0, to about 1e-14 relative: Stirling's series after lifting x by ln Γ(x) = ln Γ(x + 1) − ln x.
 * Source: Abramowitz & Stegun 6.1.15 and 6.1.41.
 */
export function logGamma(x: number): number {
  let lifted = x;
  let product = 1;
  while (lifted < ASYMPTOTIC_FROM) {
    product *= lifted;
    lifted += 1;
  }
  const r = 1 / lifted;
  const r2 = r * r;
  const series = r * (1 / 12 - r2 * (1 / 360 - r2 * (1 / 1260 - r2 * (1 / 1680 - r2 / 1188))));
  return (lifted - 0.5) * Math.log(lifted) - lifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
