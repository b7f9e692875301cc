import type { Pod } from '../../api/builtin.ts';

/** Whether it passes its readiness probe. */
export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
