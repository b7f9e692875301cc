import type { EventNote } from '../../kube/contracts.ts';

export const warning = (reason: string, message: string): EventNote => ({
  type: 'Warning',
  reason,
  action: 'Train',
  message,
});
export const normal = (reason: string, message: string): EventNote => ({
  type: 'Normal',
  reason,
  action: 'Train',
  message,
});
