import type { Observation } from '../../kube/conditions.ts';

type Truth = 'True' | 'False';

const conditions = (
  ready: Truth,
  reconciling: Truth,
  stalled: Truth,
  reason: string,
  message: string,
): Observation[] => [
  { type: 'Ready', status: ready, reason, message },
  { type: 'Reconciling', status: reconciling, reason, message },
  { type: 'Stalled', status: stalled, reason, message },
];

/** Under way: nothing is asked of anyone yet, and `reason` says what is waited for. */
export const underWay = (reason: string, message: string): Observation[] =>
  conditions('False', 'True', 'False', reason, message);

/** Failed for good: only a new object or a new spec can help. */
export const stalled = (reason: string, message: string): Observation[] =>
  conditions('False', 'False', 'True', reason, message);

export const done = (reason: string, message: string): Observation[] =>
  conditions('True', 'False', 'False', reason, message);
