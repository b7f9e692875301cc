/**
 * Lets one call in `everyMs` through and drops the rest: a model that fails on each request must not turn the log into
 * the slowest part of the server.
 */
export function seldom<A extends readonly unknown[]>(
  act: (...args: A) => void,
  everyMs: number,
  now: () => number,
): (...args: A) => void {
  let nextAt = Number.NEGATIVE_INFINITY;
  return (...args) => {
    if (now() < nextAt) return;
    nextAt = now() + everyMs;
    act(...args);
  };
}
