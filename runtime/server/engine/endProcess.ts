let natively: ((code: number) => void) | undefined;

/** Whoever brings native code in says how the process ends beneath it: by _exit(2). */
export function endBy(exit: (code: number) => void): void {
  natively = exit;
}

/**
 * Ends the process at once, whatever native code does. `process.exit` first waits for the threads of libuv's pool, on
 * which models run and are loaded: a run that hangs would keep the process until somebody kills it. What is to be
 * written must have been written.
 */
export function endNow(code: number): never {
  natively?.(code);
  process.exit(code);
}
