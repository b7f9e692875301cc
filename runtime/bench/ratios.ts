const RESAMPLES = 2000;

export const quantile = (given: readonly number[], q: number): number =>
  given.toSorted((a, b) => a - b)[Math.min(given.length - 1, Math.floor(q * given.length))] as number;

/** Geometric mean of the ratios without the lowest and the highest fifth. */
export function middleOf(ratios: readonly number[]): number {
  const cut = Math.floor(ratios.length / 5);
  const logs = ratios
    .map(Math.log)
    .toSorted((a, b) => a - b)
    .slice(cut, ratios.length - cut);
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/** 95 % of what resampled pairs give. */
export function interval(ratios: readonly number[]): readonly [low: number, high: number] {
  const pick = () => ratios[Math.floor(Math.random() * ratios.length)] as number;
  const resampled = Array.from({ length: RESAMPLES }, () => middleOf(ratios.map(pick)));
  return [quantile(resampled, 0.025), quantile(resampled, 0.975)];
}
