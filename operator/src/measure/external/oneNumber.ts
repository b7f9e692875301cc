import type { ExternalFinding } from '../../domain/rollout/world.ts';
import type { QueryAnswer } from '../prometheus/answer.ts';

type NoNumber = Extract<ExternalFinding, { kind: 'Unreachable' | 'Invalid' }>;
export type OneNumber = { readonly kind: 'Number'; readonly value: number } | NoNumber;

/**
 * The one number that a query must give. No series, NaN and an infinity (0/0 and x/0 of a service that nobody calls) are
 * no data, and may become some. Two series never become one by waiting.
 */
export function oneNumber(what: 'bad' | 'total' | 'value', answer: QueryAnswer): OneNumber {
  if (answer.kind !== 'Vector') {
    return answer.kind === 'Refused'
      ? { kind: 'Invalid', message: `Prometheus refuses the query ${what}: ${answer.message}` }
      : { kind: 'Unreachable', message: answer.message };
  }
  const [first, ...others] = answer.samples;
  if (first === undefined) return { kind: 'Unreachable', message: `the query ${what} gives no data yet` };
  if (others.length > 0) {
    const message = `the query ${what} gives ${answer.samples.length} series, and a guard needs one number: put sum(…) around it`;
    return { kind: 'Invalid', message };
  }
  if (!Number.isFinite(first.value)) {
    return { kind: 'Unreachable', message: `the query ${what} gives ${first.value}, which is no data` };
  }
  return { kind: 'Number', value: first.value };
}
