import type { GuardKind } from '@slipway/crds';
import type { Cause, GuardStatus } from '../rollout/world.ts';
import { NONE } from './finding.ts';

/** What the number of a guard counts. */
const NOUNS: Readonly<Record<GuardKind, string>> = {
  errors: 'requests',
  latency: 'served requests',
  disagreement: 'compared answers',
  predictionShift: 'predictions',
  invalidOutputs: 'answers',
  accuracy: 'labelled answers',
  prometheus: 'events',
  job: 'questions',
};

/** `3.2% of 500 requests (between 1.8% and 5.1%), limit 1%`. */
function measured({ kind = 'errors', rate, low, high, limit, n, message }: GuardStatus): string {
  if (low === NONE) return [rate === NONE ? '' : `${rate}, limit ${limit}`, message].filter(Boolean).join('; ');
  const of = kind === 'predictionShift' ? 'over' : 'of';
  const numbers = `${rate} ${of} ${n} ${NOUNS[kind]} (between ${low} and ${high}), limit ${limit}`;
  return message === undefined ? numbers : `${numbers}; ${message}`;
}

const needs = ({ kind, low, rate }: GuardStatus): string =>
  low !== NONE && kind !== undefined ? `needs more ${NOUNS[kind]}` : rate === NONE ? 'waits' : 'needs more looks';

/** A guard's status as a sentence, without its full stop and in lower case: it goes into longer ones. */
export function guardSentence(guard: GuardStatus): string {
  const { name, verdict, eta, message } = guard;
  switch (verdict) {
    case 'Blind':
      return `guard ${name} sees nothing: ${message ?? 'no requests of the candidate'}`;
    case 'NeedMore':
      return `guard ${name} ${needs(guard)}: ${measured(guard)}${eta === undefined ? '' : `, about ${eta} more`}`;
    case 'SharedFault':
      return `guard ${name} blames no version: ${measured(guard)}`;
    default:
      return `guard ${name} ${verdict === 'Fail' ? 'failed' : 'passes'}: ${measured(guard)}`;
  }
}

export const guardCause = (guard: GuardStatus): Cause => ({
  reason: 'GuardFailed',
  message: `${guardSentence(guard).replace(/^g/, 'G')}.`,
});
