import type { InferenceServiceStatus, NotificationType } from '@slipway/crds';
import type { HistoryEntry } from '../domain/rollout/world.ts';

/** What a decision is called outside, by the reason that the rollout gave it. Others move weights, and are not told. */
export const BY_REASON: Readonly<Record<string, NotificationType>> = {
  RolloutStarted: 'rolloutStarted',
  RollbackStarted: 'rolloutStarted',
  CandidateReplaced: 'rolloutStarted',
  Promoted: 'promoted',
  RolledBack: 'rolledBack',
  RolloutAborted: 'rolledBack',
  AwaitingApproval: 'awaitingApproval',
};

/** A hold leads nowhere but to its own reason. */
export function notificationOf({ reason, to }: Pick<HistoryEntry, 'reason' | 'to'>): NotificationType | undefined {
  return BY_REASON[reason] ?? (to === reason ? 'held' : undefined);
}

const VERSION = /^\d+\.\d+\.\d+$/;

/** Which version an entry is about: the one whose digest it names, else the one that it leads to or from. */
export function versionOf(entry: HistoryEntry, status: InferenceServiceStatus): string | undefined {
  const { candidate, stable, previous, rejected = [] } = status;
  const known = [candidate, stable, previous, ...rejected].find(
    (version) => entry.digest !== undefined && version?.digest === entry.digest,
  );
  return known?.version ?? [entry.to, entry.from].find((place) => VERSION.test(place));
}

/** The status names the newest rollout only: an entry from before it began belongs to one that is forgotten. */
export function rolloutIdOf(entry: HistoryEntry, { history = [], rolloutID }: InferenceServiceStatus) {
  const later = history.slice(history.findIndex(({ hash }) => hash === entry.hash) + 1);
  return later.some((each) => notificationOf(each) === 'rolloutStarted') ? undefined : rolloutID;
}
