/** What one pass asks of the queue. A failure is thrown, never returned. */
export type Outcome =
  | { readonly kind: 'settled' }
  | { readonly kind: 'again'; readonly afterMs: number; readonly why: string };

export const settled: Outcome = { kind: 'settled' };
export const again = (afterMs: number, why: string): Outcome => ({ kind: 'again', afterMs, why });

/** The earliest wish wins; with no wish at all the object is settled. */
export const soonest = (...all: readonly Outcome[]): Outcome =>
  all.reduce((a, b) => (b.kind === 'again' && (a.kind === 'settled' || b.afterMs < a.afterMs) ? b : a), settled);

/** Retrying cannot help until the user edits the spec: shown as Stalled=True, not retried. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
