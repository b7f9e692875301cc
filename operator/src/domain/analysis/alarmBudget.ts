/** Never more than this for one test, however generous the budget: an alarm that is a coin's toss tells nothing. */
const LARGEST_ALPHA = 0.05;

/**
 * Risk of a false alarm that one test may take so that at most `max` false alarms are to be expected within `perMs`, when
 * `tests` are made every `everyMs`. Expectations add up whatever the dependence, so the budget is divided by the number
 * of tests made (Bonferroni). Windows that overlap are not one test but as many as there are looks: an alarm may begin
 * at any of them. Alarms of one episode are then counted more than once, so there are fewer episodes than `max`.
 */
export function alphaPerTest(
  { max, perMs }: { readonly max: number; readonly perMs: number },
  { everyMs, tests }: { readonly everyMs: number; readonly tests: number },
): number {
  const looks = Math.max(1, perMs / everyMs) * Math.max(1, tests);
  return Math.min(LARGEST_ALPHA, max / looks);
}
