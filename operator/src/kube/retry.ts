import { backoffMs } from './backoff.ts';
import { type ApiError, isClosed, isMisfit } from './errors.ts';

const BACKOFF = { baseMs: 100, maxMs: 5_000 };
const MAX_ATTEMPTS = 6;

/** Verbs that may be sent twice: the second time changes nothing. A create may not, unless it never left. */
const isIdempotent = (method: string): boolean => method !== 'POST';

const RULES: readonly ((error: ApiError, method: string) => boolean)[] = [
  (error) => error.status === 429, // refused before it was looked at
  (error) => error.unsent,
  (error, method) => error.status === 0 && isIdempotent(method),
  (error, method) => error.status >= 500 && !isMisfit(error) && isIdempotent(method),
];

/** Milliseconds to wait before the next attempt, or undefined when the failure is final. Retry-After is obeyed. */
export function retryDelayMs(error: ApiError, method: string, attempts: number, random: number): number | undefined {
  if (isClosed(error) || attempts >= MAX_ATTEMPTS || !RULES.some((rule) => rule(error, method))) return undefined;
  return Math.max(error.retryAfterMs ?? 0, backoffMs(attempts, BACKOFF, random));
}
