import type { Refusal, Refusals } from '../evidence/refusals.ts';
import type { RequestError } from '../requestError.ts';

const REASONS: ReadonlyMap<number, Refusal> = new Map<number, Refusal>([
  [400, 'malformed'],
  [401, 'unauthorized'],
  [404, 'unknownModel'],
  [408, 'tooSlow'],
  [413, 'tooLarge'],
  [415, 'malformed'],
  [429, 'rateLimited'],
  [431, 'tooLarge'],
  [503, 'notReady'],
]);

/** Counts a request that was refused before it was read whole; one with the wrong method or path was never meant for one. */
export function countRefusal(refusals: Pick<Refusals, 'count'> | undefined, { status }: RequestError): void {
  const reason = REASONS.get(status);
  if (reason) refusals?.count(reason);
}
