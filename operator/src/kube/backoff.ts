export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Wait before try number `failures` + 1: doubles from baseMs to maxMs, then takes 50 to 100 % of it at random, so that
 * replicas which failed together do not return together. `random` is in [0, 1).
 */
export const backoffMs = (failures: number, { baseMs, maxMs }: Backoff, random: number): number =>
  Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(failures - 1, 0), 30)) * (0.5 + random / 2);
