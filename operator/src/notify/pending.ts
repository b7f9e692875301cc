import { NOTIFICATIONS, type NotificationType } from '@slipway/crds';
import type { InferenceService } from '../api/kinds.ts';
import type { HistoryEntry } from '../domain/rollout/world.ts';
import { type CloudEvent, decisionEvent, driftEvent } from './cloudEvent.ts';

/** status.notified of a service whose sink has taken nothing yet. */
export const NONE = 'none';
/** What a sink is told of that is new to a service: decisions of the last hour, no archive. */
const NEWS_MS = 3_600_000;

export interface Marks {
  readonly notified?: string | undefined;
  readonly notifiedDrift?: string | undefined;
}

/** One thing to tell, and what the status says once it was. Without an event: nothing to tell, and yet to be passed. */
export interface Step {
  readonly event?: CloudEvent;
  readonly after: Marks;
}

export interface Pending {
  readonly steps: readonly Step[];
  /** Where nothing was marked yet: what is to be written before anything is told. */
  readonly start?: Marks;
  /** Decisions fell out of the history before the sink took them. */
  readonly lost: boolean;
}

const isAsked = ({ spec }: InferenceService, type: NotificationType): boolean =>
  (spec.notify?.events ?? NOTIFICATIONS).includes(type);
const typeOf = ({ type }: CloudEvent) => type.slice('dev.slipway.'.length) as NotificationType;

/**
 * What the sink is owed, in the order in which it happened. Nothing of a history whose entries an earlier release left
 * without a hash, which names the event: the rollout gives them one at its next look.
 */
export function pendingOf(about: InferenceService, now: Date): Pending {
  const { history = [], notified, notifiedDrift } = about.status ?? {};
  if (history.some(({ hash }) => hash === undefined)) return { steps: [], lost: false };
  const from = notified === undefined ? firstNews(history, now) : next(history, notified);
  const mark = (hash: string | undefined) => (hash === undefined || hash === '' ? NONE : hash);
  const steps = history.slice(from).map((entry): Step => {
    const event = decisionEvent(about, entry);
    const after = { notified: entry.hash };
    return event !== undefined && isAsked(about, typeOf(event)) ? { event, after } : { after };
  });
  const drift = driftEvent(about);
  const isNews = drift !== undefined && drift.time !== notifiedDrift && isAsked(about, 'drift');
  const first = history[from]?.previousHash ?? history.at(-1)?.hash;
  return {
    steps: isNews ? [...steps, { event: drift, after: { notifiedDrift: drift.time } }] : steps,
    ...(notified === undefined ? { start: { notified: mark(first) } } : {}),
    lost: notified !== undefined && steps.length > 0 && mark(first) !== notified,
  };
}

const firstNews = (history: readonly HistoryEntry[], now: Date): number => {
  const index = history.findIndex(({ at }) => now.getTime() - Date.parse(at) < NEWS_MS);
  return index === -1 ? history.length : index;
};

/** 0 where the entry is no longer kept: everything that is kept came after it. */
const next = (history: readonly HistoryEntry[], notified: string): number =>
  history.findIndex(({ hash }) => hash === notified) + 1;
