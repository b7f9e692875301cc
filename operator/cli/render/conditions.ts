import type { Condition } from '@slipway/crds';
import { field, table } from './text.ts';

/** Conditions that are good news when False; all others are good news when True. */
const ABNORMAL = new Set(['Reconciling', 'Stalled', 'Paused', 'DriftDetected']);

export const find = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((c) => c.type === type);

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  find(conditions, type)?.status === 'True';

export const isUnwelcome = (c: Condition): boolean =>
  ABNORMAL.has(c.type) ? c.status === 'True' : c.status !== 'True';

/** Every condition on one row, with the message only where it tells of something unwelcome, and only once. */
export function conditionLines(conditions: readonly Condition[] | undefined): string[] {
  if (conditions === undefined || conditions.length === 0) {
    return field('conditions', 'none yet: the operator has not seen this object');
  }
  const told = conditions.map((c) => (isUnwelcome(c) ? c.message : ''));
  const rows = conditions.map(({ type, status, reason }, i) => {
    const message = told[i] ?? '';
    return [type, status, message === '' || told.indexOf(message) < i ? reason : `${reason}: ${message}`];
  });
  return ['  conditions', ...table(rows)];
}
