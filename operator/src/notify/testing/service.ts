import type { InferenceServiceStatus } from '@slipway/crds';
import type { InferenceService } from '../../api/kinds.ts';
import { sealOf } from '../../domain/rollout/history.ts';
import type { HistoryEntry } from '../../domain/rollout/world.ts';
import type { Stored } from '../../kube/wire.ts';

export const DIGEST = `sha256:${'a'.repeat(64)}`;
export const AT = '2030-01-31T09:00:00Z';

export type Entry = Pick<HistoryEntry, 'reason'> & Partial<HistoryEntry>;

/** Entries as the rollout writes them, each sealed over the one before. */
export function historyOf(entries: readonly Entry[], previousHash = ''): HistoryEntry[] {
  const sealed: HistoryEntry[] = [];
  for (const entry of entries) {
    const whole = { from: 'Idle', to: '1.1.0', at: AT, message: `${entry.reason}.`, ...entry };
    const unsealed = { ...whole, previousHash: sealed.at(-1)?.hash ?? previousHash };
    sealed.push({ ...unsealed, hash: sealOf(unsealed) });
  }
  return sealed;
}

export const service = (
  status: Partial<InferenceServiceStatus>,
  notify?: { sink: string; events?: string[] },
): Stored<InferenceService> =>
  ({
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: { name: 'flights', namespace: 'team-a', uid: 'u-1', resourceVersion: '7' },
    spec: { model: { name: 'flights', version: '1.1.0' }, ...(notify && { notify }) },
    status,
  }) as unknown as Stored<InferenceService>;
