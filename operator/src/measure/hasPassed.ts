/**
 * Whether it is time again. A clock that was set back makes everything young: what was found would then be believed, and
 * nobody asked, for as long as it was set back.
 */
export const hasPassed = (elapsedMs: number, intervalMs: number): boolean => elapsedMs >= intervalMs || elapsedMs < 0;
